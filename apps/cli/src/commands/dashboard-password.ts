import { randomBytes } from 'node:crypto';
import { Command } from '@commander-js/extra-typings';
import { type Declare, JSON_ABOUT } from '../command.js';

export const dashboardPassword: Declare = ({ say }) =>
  new Command('dashboard-password')
    .description('make a password for the dashboard and its hash for DASHBOARD_PASSWORD_HASH')
    .option('--json', JSON_ABOUT)
    .action(async ({ json }) => {
      const { hashPassword } = await import('@replenish/runtime');
      const password = randomBytes(15).toString('base64url');
      const hash = await hashPassword(password);
      if (json) say(JSON.stringify({ password, hash }));
      else say(`password: ${password}\nDASHBOARD_PASSWORD_HASH='${hash}'`);
    });
