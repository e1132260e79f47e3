import { Prisma } from '../../generated/client.js';
import type { IsRefunding } from '../cases/view.js';
import { persist } from '../database/failure.js';
import { type ClaimedPost, type ClaimOptions, claimPosts } from './claim.js';
import { type CallbackContent, contentsOf } from './content.js';
import { secretRow } from './endpoints.js';
import { cancelPending } from './filing.js';
import { type CallbackDeps, secretsOf } from './secrets.js';

/** A claimed delivery with all that its post needs. */
export type CallbackPost = ClaimedPost &
  Readonly<{
    content: CallbackContent;
    /** The secrets that sign it, the newest first. */
    secrets: readonly string[];
  }>;

/** Claims deliveries of a lane, and reads what they carry. Deliveries to an endpoint that is no longer active are canceled. */
export async function takePosts(
  deps: CallbackDeps,
  lane: string,
  options: ClaimOptions & Readonly<{ isRefunding: IsRefunding }>,
): Promise<CallbackPost[]> {
  const { run } = deps.store;
  const claimed = await claimPosts(run, lane, options);
  if (claimed.length === 0) return [];
  const contents = await contentsOf(
    run,
    claimed.map(({ eventId }) => eventId),
    options.isRefunding,
  );
  const secrets = new Map<string, readonly string[] | null>();
  const posts: CallbackPost[] = [];
  for (const post of claimed) {
    const owner = post.endpointId ?? post.clientId;
    if (!secrets.has(owner)) secrets.set(owner, await secretsFor(deps, post));
    const [content, signers] = [contents.get(post.eventId), secrets.get(owner)];
    if (content && signers) posts.push({ ...post, content, secrets: signers });
  }
  for (const [owner, signers] of secrets)
    if (signers === null) await cancelPending(run, Prisma.sql`lane = ${owner}::uuid`);
  return posts;
}

/** Null if the endpoint is not active. */
async function secretsFor(deps: CallbackDeps, post: ClaimedPost): Promise<readonly string[] | null> {
  const { endpointId, clientId } = post;
  if (endpointId === null)
    return secretsOf(deps.vault, clientId).valid(await secretRow(deps, clientId), deps.now());
  const row = await persist(() => deps.store.db.callbackEndpoint.findUnique({ where: { id: endpointId } }));
  if (row?.status !== 'active') return null;
  return secretsOf(deps.vault, endpointId).valid(row, deps.now());
}
