import { statfsSync } from 'node:fs';
import { AuthsomeError } from '../../errors.ts';
import { readConfig, runDefaultsIn, unknownSettings } from '../../settings.ts';
import { type Home, homeFaults } from '../home/index.ts';
import { type LiveRules, ruleCountText } from '../rules.ts';
import { type Check, check, ok } from './checks.ts';

const scarceBytes = 64 * 1024 * 1024;

/** Whether the home is private and has space. */
export function homeChecks(home: Home): readonly Check[] {
  return [
    check('home', () => {
      const [fault] = homeFaults(home);
      return fault === undefined
        ? ok(`${home.path} is private and writable`)
        : { status: 'fail', message: fault.message, fix: fault.fix };
    }),
    check('disk', () => {
      const { bavail, bsize } = statfsSync(home.path);
      return bavail * bsize >= scarceBytes
        ? ok('enough space is left')
        : { status: 'warn', message: `the disk holding ${home.path} is almost full` };
    }),
  ];
}

/** Whether `config.json` says what its writer meant. */
export function configChecks({ configFile }: Home, rules: LiveRules): readonly Check[] {
  return [
    check('config', () => {
      const config = readConfig(configFile);
      const run = runDefaultsIn(config);
      if (run instanceof AuthsomeError) throw run;
      const unknown = unknownSettings(config);
      if (unknown.length === 0) return ok('config.json has no unknown settings');
      return {
        status: 'warn',
        message: `config.json has unknown settings: ${unknown.join(', ')}`,
        fix: `Fix ${configFile}. Known settings: authsome help environment`,
      };
    }),
    check('rules', () => {
      const { problem, ruleCount } = rules.current;
      if (problem === undefined) {
        return ok(ruleCount === 0 ? 'no rules: everything is allowed' : ruleCountText(ruleCount));
      }
      const message = `the rules in config.json cannot be read, so everything is denied: ${problem.message}`;
      return { status: 'fail', message, fix: `Fix ${configFile}` };
    }),
  ];
}
