import { Prisma } from '../../generated/client.js';
import type { IsRefunding } from '../cases/view.js';
import { type ClaimedPost, type ClaimOptions, claimPosts } from './claim.js';
import { type CallbackContent, contentsOf } from './content.js';
import { secretRow } from './endpoints.js';
import { cancelPending } from './filing.js';
import { type CallbackDeps, secretsOf } from './secrets.js';

/** A claimed delivery with everything that is needed to post it. */
export type CallbackPost = ClaimedPost &
  Readonly<{
    content: CallbackContent;
    /** The secrets that sign the post, the newest first. */
    secrets: readonly string[];
  }>;

export type TakeOptions = ClaimOptions & Readonly<{ isRefunding: IsRefunding }>;

// An event goes to all receivers at about the same time, and its content never changes.
const CONTENTS_KEPT = 1_000;

/**
 * Claims deliveries of a lane, and returns what they carry. Deliveries to an endpoint that is no longer active are
 * canceled.
 */
export function postTaker(
  deps: CallbackDeps,
): (lane: string, options: TakeOptions) => Promise<CallbackPost[]> {
  const { run } = deps.store;
  const known = new Map<string, CallbackContent>();
  async function learn(eventIds: readonly string[], isRefunding: IsRefunding): Promise<void> {
    const unknown = eventIds.filter((id) => !known.has(id));
    if (unknown.length === 0) return;
    if (known.size >= CONTENTS_KEPT) known.clear();
    for (const [id, content] of await contentsOf(run, unknown, isRefunding)) known.set(id, content);
  }
  return async (lane, options) => {
    const claimed = await claimPosts(run, lane, options);
    await learn(
      claimed.map(({ eventId }) => eventId),
      options.isRefunding,
    );
    const posts: CallbackPost[] = [];
    let isInactive = false;
    for (const post of claimed) {
      const content = known.get(post.eventId);
      const secrets = await secretsFor(deps, post);
      if (secrets === null) isInactive = true;
      else if (content) posts.push({ ...post, content, secrets });
    }
    if (isInactive) await cancelPending(run, Prisma.sql`lane = ${lane}::uuid`);
    return posts;
  };
}

/** Null if the endpoint is not active. */
async function secretsFor(deps: CallbackDeps, post: ClaimedPost): Promise<readonly string[] | null> {
  const { endpointId, clientId, secretSealed } = post;
  if (endpointId === null)
    return secretsOf(deps.vault, clientId).valid(await secretRow(deps, clientId), deps.now());
  return secretSealed && secretsOf(deps.vault, endpointId).valid({ ...post, secretSealed }, deps.now());
}
