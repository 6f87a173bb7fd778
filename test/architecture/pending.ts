/** What the guards let pass until it is changed: nothing may be added, and in the end the lists are empty. */
export const pending: {
  readonly words: readonly string[];
  readonly imports: readonly string[];
  readonly folders: readonly string[];
  readonly functions: readonly string[];
  readonly parameters: readonly string[];
  readonly names: readonly string[];
} = {
  words: [],
  imports: ['src/providers/route.ts → src/providers/provider.ts'],
  folders: ['src/providers'],
  functions: ['src/client/client.ts: createClient'],
  parameters: ['src/cli/scan/file-replacement.ts: writeWhole', 'src/proxy/inject/head.ts: fateOf'],
  names: [
    '#hear',
    'Attendance',
    'PathJudgement',
    'RunSurroundings',
    'Sighting',
    'Surroundings',
    'Verdict',
    'WayOut',
    'attend',
    'attendance',
    'createWayOut',
    'hear',
    'judgePath',
    'judgeUnusual',
    'judged',
    'judgement',
    'patienceMs',
    'rivals',
    'sighting',
    'sightingOf',
    'sightings',
    'sightingsInEnvironment',
    'sightingsInFile',
    'src/cli/login/attend.ts',
    'src/cli/login/surroundings.test.ts',
    'src/cli/login/surroundings.ts',
    'src/scan/sighting.ts',
    'surroundingsOf',
    'verdict',
    'verdictOn',
    'wayOut',
  ],
};
