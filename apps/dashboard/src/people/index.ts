/** The people of the console: who is signed in, what they may do, and the protection of forms that change something. */
export {
  type CurrentUser,
  csrfToken,
  currentUser,
  requireCsrf,
  requireFreshCode,
  requireRole,
} from './face.js';
export { type RefusalCode, refuse, refuseUnknown, wantsPage } from './refusal.js';
export { findSession, loginRoutes, requireSession } from './routes.js';
export { sentFromHere } from './same-origin.js';
export type { PeopleDeps } from './sign-in.js';
export { openSingleSignOn, type SingleSignOn } from './single-sign-on.js';
