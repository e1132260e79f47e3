import { randomBytes } from 'node:crypto';
import { hashPassword } from '@replenish/runtime';
import type { Command } from '../command.js';

/** Makes a password for the dashboard and prints it once, with the hash that DASHBOARD_PASSWORD_HASH takes. */
export const dashboardPassword: Command<'dashboard-password'> = async ({ values, say }) => {
  const password = randomBytes(15).toString('base64url');
  const hash = await hashPassword(password);
  if (values.json) say(JSON.stringify({ password, hash }));
  else say(`password: ${password}\nDASHBOARD_PASSWORD_HASH='${hash}'`);
  return 0;
};
