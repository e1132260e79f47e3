import { Command, Option } from '@commander-js/extra-typings';
import { type Declare, JSON_ABOUT } from '../../command.js';
import { wholeNumber } from '../../values.js';

const PORT_MAX = 65_535;

export const demo: Declare = ({ exitWith, ...given }) =>
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
    .option(
      '--port <number>',
      'port of the ingress, of the fleet that runs or of the one that is started; else INGRESS_PORT',
      wholeNumber(1, PORT_MAX),
    )
    .action(async ({ json, to, port }) => {
      const env = port === undefined ? given.env : { ...given.env, INGRESS_PORT: String(port) };
      const surroundings = { ...given, env };
      const [
        { localStateDir },
        { demoClientOf, openFleet },
        { asJson, asText, reader, showOne },
        { refuseRealMoney, showWhole },
      ] = await Promise.all([
        import('@replenish/runtime'),
        import('./fleet.js'),
        import('./story.js'),
        import('./whole-story.js'),
      ]);
      if (to === 'cloud') refuseRealMoney(surroundings.env);
      const fleet = await openFleet(
        { ...surroundings, say: json ? surroundings.complain : surroundings.say },
        port,
      );
      try {
        const client = await demoClientOf(localStateDir(surroundings.env));
        const show = json ? asJson(surroundings.say) : asText(surroundings.say);
        const get = reader(fleet.url, client);
        const status =
          to === 'cloud' ? await showWhole(get, show, fleet.sandboxUrl) : await showOne(get, show);
        if (status !== 'succeeded') exitWith(1);
      } finally {
        await fleet.stop();
      }
    });
