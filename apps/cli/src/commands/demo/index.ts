import { Command } from '@commander-js/extra-typings';
import { type Declare, JSON_ABOUT } from '../../command.js';
import type { DemoClient } from '../../start/state/demo-client.js';

export const demo: Declare = ({ exitWith, ...surroundings }) =>
  new Command('demo')
    .description(
      'create one recharge and show each step of it; starts all processes when they are not running',
    )
    .option('--json', `${JSON_ABOUT}, one event per line`)
    .action(async ({ json }) => {
      const [{ localStateDir }, { openFleet }, { asJson, asText, reader, showOne }, { readJson }] =
        await Promise.all([
          import('@replenish/runtime'),
          import('./fleet.js'),
          import('./story.js'),
          import('../../start/state/state.js'),
        ]);
      const fleet = await openFleet({
        ...surroundings,
        say: json ? surroundings.complain : surroundings.say,
      });
      try {
        const client = readJson<DemoClient>(localStateDir(surroundings.env), 'demo-client.json');
        if (!client)
          throw new Error('there is no demo client: it is made by the first `npm start` outside production');
        const show = json ? asJson(surroundings.say) : asText(surroundings.say);
        if ((await showOne(reader(fleet.url, client), show)) !== 'succeeded') exitWith(1);
      } finally {
        await fleet.stop();
      }
    });
