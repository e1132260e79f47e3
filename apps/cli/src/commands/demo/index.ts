import { Command, Option } from '@commander-js/extra-typings';
import { type Declare, JSON_ABOUT } from '../../command.js';
import type { DemoClient } from '../../start/state/demo-client.js';

export const demo: Declare = ({ exitWith, ...surroundings }) =>
  new Command('demo')
    .description(
      'create one recharge and show each step of it; starts all processes when they are not running',
    )
    .option('--json', `${JSON_ABOUT}, one event per line`)
    .addOption(
      new Option('--to <where>', 'pay by card, and follow the money to the simulated cloud account').choices([
        'cloud',
      ] as const),
    )
    .action(async ({ json, to }) => {
      const [
        { localStateDir },
        { openFleet },
        { asJson, asText, reader, showOne },
        { refuseRealMoney, showWhole },
        { readJson },
      ] = await Promise.all([
        import('@replenish/runtime'),
        import('./fleet.js'),
        import('./story.js'),
        import('./whole-story.js'),
        import('../../start/state/state.js'),
      ]);
      if (to === 'cloud') refuseRealMoney(surroundings.env);
      const fleet = await openFleet({
        ...surroundings,
        say: json ? surroundings.complain : surroundings.say,
      });
      try {
        const client = readJson<DemoClient>(localStateDir(surroundings.env), 'demo-client.json');
        if (!client)
          throw new Error('there is no demo client: it is made by the first `npm start` outside production');
        const show = json ? asJson(surroundings.say) : asText(surroundings.say);
        const get = reader(fleet.url, client);
        const status =
          to === 'cloud' ? await showWhole(get, show, fleet.sandboxUrl) : await showOne(get, show);
        if (status !== 'succeeded') exitWith(1);
      } finally {
        await fleet.stop();
      }
    });
