import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { definedHosts } from './approved-hosts.ts';
import { asksOf } from './asks.ts';
import { loadBundled } from './bundled.ts';
import { registrableDomain } from './host.ts';
import { parseProvider } from './parse/index.ts';
import { phantomFor } from './phantom/index.ts';
import { isByPhantom } from './placement.ts';
import type { Provider } from './provider.ts';
import { placementsFor } from './route.ts';
import { compileRoutes, routesOf } from './route-table.ts';

interface Review {
  /** Registered domains that the service owns; its hosts must be among them. */
  readonly owns: readonly string[];
  /** A request that its documentation shows. */
  readonly example: string;
  /** For services that live at an address of the customer's own. */
  readonly baseUrl?: string;
  /** Another definition of the same hosts; a run that uses both has to be refused, not guessed. */
  readonly twin?: string;
  /** Another definition of the same hosts, which gets requests without a phantom. */
  readonly yieldsTo?: string;
}

const google = ['googleapis.com'];
const reviewed: Readonly<Record<string, Review>> = {
  affinity: { owns: ['affinity.co'], example: 'api.affinity.co/v2/companies' },
  ahrefs: { owns: ['ahrefs.com'], example: 'api.ahrefs.com/v3/site-explorer/domain-rating' },
  anthropic: { owns: ['anthropic.com'], example: 'api.anthropic.com/v1/messages' },
  apollo: { owns: ['apollo.io'], example: 'api.apollo.io/api/v1/auth/health' },
  ashby: { owns: ['ashbyhq.com'], example: 'api.ashbyhq.com/candidate.list' },
  atlassian: { owns: ['atlassian.com'], example: 'api.atlassian.com/me' },
  'atlassian-token': {
    owns: ['atlassian.net'],
    example: 'acme.atlassian.net/rest/api/3/myself',
    baseUrl: 'https://acme.atlassian.net',
  },
  attio: { owns: ['attio.com'], example: 'api.attio.com/v2/objects' },
  beehiiv: { owns: ['beehiiv.com'], example: 'api.beehiiv.com/v2/publications' },
  bitbucket: { owns: ['bitbucket.org'], example: 'api.bitbucket.org/2.0/user' },
  brevo: { owns: ['brevo.com'], example: 'api.brevo.com/v3/account' },
  buffer: { owns: ['buffer.com', 'bufferapp.com'], example: 'api.buffer.com/' },
  calendly: { owns: ['calendly.com'], example: 'api.calendly.com/users/me' },
  'claude-code': {
    owns: ['anthropic.com', 'claude.com'],
    example: 'api.anthropic.com/v1/messages',
    yieldsTo: 'anthropic',
  },
  clearbit: { owns: ['clearbit.com'], example: 'person.clearbit.com/v2/combined/find' },
  cloudflare: { owns: ['cloudflare.com'], example: 'api.cloudflare.com/client/v4/user/tokens/verify' },
  codex: { owns: ['chatgpt.com', 'openai.com'], example: 'chatgpt.com/backend-api/codex/responses' },
  cohere: { owns: ['cohere.com', 'cohere.ai'], example: 'api.cohere.com/v2/chat' },
  confluence: { owns: ['atlassian.com'], example: 'api.atlassian.com/ex/confluence/1/wiki/api/v2/pages' },
  cursor: { owns: ['cursor.com'], example: 'api.cursor.com/v0/agents' },
  datadog: { owns: ['datadoghq.com'], example: 'api.datadoghq.com/api/v1/validate' },
  deepseek: { owns: ['deepseek.com'], example: 'api.deepseek.com/chat/completions' },
  discord: { owns: ['discord.com'], example: 'discord.com/api/v10/users/@me', twin: 'discord-bot' },
  'discord-bot': {
    owns: ['discord.com', 'discord.gg'],
    example: 'discord.com/api/v10/gateway/bot',
    twin: 'discord',
  },
  dropbox: { owns: ['dropboxapi.com'], example: 'content.dropboxapi.com/2/files/upload' },
  dub: { owns: ['dub.co'], example: 'api.dub.co/links' },
  fathom: { owns: ['fathom.ai'], example: 'api.fathom.ai/external/v1/meetings' },
  fireflies: { owns: ['fireflies.ai'], example: 'api.fireflies.ai/graphql' },
  fireworks: { owns: ['fireworks.ai'], example: 'api.fireworks.ai/inference/v1/chat/completions' },
  flyio: { owns: ['fly.io', 'machines.dev'], example: 'api.machines.dev/v1/apps' },
  g2: { owns: ['g2.com'], example: 'data.g2.com/api/v1/survey-responses' },
  gemini: { owns: google, example: 'generativelanguage.googleapis.com/v1beta/models' },
  'gemini-cli': { owns: google, example: 'cloudcode-pa.googleapis.com/v1internal:loadCodeAssist' },
  github: { owns: ['github.com', 'raw.githubusercontent.com', 'ghcr.io'], example: 'api.github.com/user' },
  'github-copilot': {
    owns: ['githubcopilot.com', 'github.com'],
    example: 'api.individual.githubcopilot.com/responses',
  },
  gitlab: { owns: ['gitlab.com'], example: 'gitlab.com/api/v4/projects/acme%2Fsite/issues' },
  gmail: { owns: google, example: 'gmail.googleapis.com/gmail/v1/users/me/messages' },
  google: { owns: google, example: 'storage.googleapis.com/storage/v1/b' },
  'google-admin': { owns: google, example: 'admin.googleapis.com/admin/directory/v1/users' },
  'google-analytics': { owns: google, example: 'analyticsdata.googleapis.com/v1beta/properties/1:runReport' },
  'google-calendar': { owns: google, example: 'www.googleapis.com/calendar/v3/calendars/primary/events' },
  'google-chat': { owns: google, example: 'chat.googleapis.com/v1/spaces' },
  'google-classroom': { owns: google, example: 'classroom.googleapis.com/v1/courses' },
  'google-contacts': { owns: google, example: 'people.googleapis.com/v1/people/me/connections' },
  'google-docs': { owns: google, example: 'docs.googleapis.com/v1/documents/1' },
  'google-drive': { owns: google, example: 'www.googleapis.com/drive/v3/files' },
  'google-forms': { owns: google, example: 'forms.googleapis.com/v1/forms/1' },
  'google-meet': { owns: google, example: 'meet.googleapis.com/v2/spaces' },
  'google-photos': { owns: google, example: 'photoslibrary.googleapis.com/v1/mediaItems' },
  'google-search-console': { owns: google, example: 'www.googleapis.com/webmasters/v3/sites' },
  'google-sheets': { owns: google, example: 'sheets.googleapis.com/v4/spreadsheets/1' },
  'google-slides': { owns: google, example: 'slides.googleapis.com/v1/presentations/1' },
  'google-tasks': { owns: google, example: 'tasks.googleapis.com/tasks/v1/users/@me/lists' },
  granola: { owns: ['granola.ai'], example: 'public-api.granola.ai/v1/notes' },
  groq: { owns: ['groq.com'], example: 'api.groq.com/openai/v1/chat/completions' },
  hubspot: { owns: ['hubapi.com', 'hubspot.com'], example: 'api.hubapi.com/crm/v3/objects/contacts' },
  hunter: { owns: ['hunter.io'], example: 'api.hunter.io/v2/account' },
  instantly: { owns: ['instantly.ai'], example: 'api.instantly.ai/api/v2/campaigns' },
  intercom: { owns: ['intercom.io'], example: 'api.intercom.io/me' },
  jira: { owns: ['atlassian.com'], example: 'api.atlassian.com/ex/jira/1/rest/api/3/myself' },
  'keywords-everywhere': {
    owns: ['keywordseverywhere.com'],
    example: 'api.keywordseverywhere.com/v1/get_keyword_data',
  },
  klaviyo: { owns: ['klaviyo.com'], example: 'a.klaviyo.com/api/accounts', twin: 'klaviyo-oauth' },
  'klaviyo-oauth': { owns: ['klaviyo.com'], example: 'a.klaviyo.com/api/profiles', twin: 'klaviyo' },
  lemlist: { owns: ['lemlist.com'], example: 'api.lemlist.com/api/campaigns' },
  linear: { owns: ['linear.app'], example: 'api.linear.app/graphql' },
  'linear-mcp': { owns: ['linear.app'], example: 'mcp.linear.app/mcp' },
  linkedin: { owns: ['linkedin.com'], example: 'api.linkedin.com/v2/userinfo' },
  livestorm: { owns: ['livestorm.co'], example: 'api.livestorm.co/v1/ping' },
  mailchimp: { owns: ['mailchimp.com'], example: 'us19.api.mailchimp.com/3.0/lists' },
  'mention-me': { owns: ['mention-me.com'], example: 'mention-me.com/api/entry-point/v2/offer' },
  microsoft: { owns: ['microsoft.com'], example: 'graph.microsoft.com/v1.0/me' },
  'microsoft-onenote': { owns: ['microsoft.com'], example: 'graph.microsoft.com/v1.0/me/onenote/notebooks' },
  'microsoft-word': { owns: ['microsoft.com'], example: 'graph.microsoft.com/v1.0/me/drive/root/children' },
  mistral: { owns: ['mistral.ai'], example: 'api.mistral.ai/v1/chat/completions' },
  monday: { owns: ['monday.com'], example: 'api.monday.com/v2' },
  'mongodb-atlas': { owns: ['mongodb.com'], example: 'cloud.mongodb.com/api/atlas/v2/groups' },
  notion: { owns: ['notion.com'], example: 'api.notion.com/v1/search' },
  npmgh: { owns: ['github.com'], example: 'npm.pkg.github.com/@acme%2fwidget' },
  openai: { owns: ['openai.com'], example: 'api.openai.com/v1/responses' },
  openrouter: { owns: ['openrouter.ai'], example: 'openrouter.ai/api/v1/chat/completions' },
  optimizely: { owns: ['optimizely.com'], example: 'api.optimizely.com/v2/projects' },
  'outlook-calendar': { owns: ['microsoft.com'], example: 'graph.microsoft.com/v1.0/me/calendarView' },
  'outlook-mail': { owns: ['microsoft.com'], example: 'graph.microsoft.com/v1.0/me/messages' },
  pagerduty: { owns: ['pagerduty.com'], example: 'api.pagerduty.com/incidents' },
  perplexity: { owns: ['perplexity.ai'], example: 'api.perplexity.ai/chat/completions' },
  postiz: { owns: ['postiz.com'], example: 'api.postiz.com/public/v1/integrations' },
  postmark: { owns: ['postmarkapp.com'], example: 'api.postmarkapp.com/email' },
  resend: { owns: ['resend.com'], example: 'api.resend.com/emails' },
  rewardful: { owns: ['getrewardful.com'], example: 'api.getrewardful.com/v1/affiliates' },
  savvycal: { owns: ['savvycal.com'], example: 'api.savvycal.com/v1/events' },
  semrush: { owns: ['semrush.com'], example: 'api.semrush.com/?type=domain_ranks' },
  sendgrid: { owns: ['sendgrid.com'], example: 'api.sendgrid.com/v3/mail/send' },
  sentry: { owns: ['sentry.io'], example: 'sentry.io/api/0/projects/' },
  shopify: {
    owns: ['acme.myshopify.com'],
    example: 'acme.myshopify.com/admin/api/2026-01/graphql.json',
    baseUrl: 'https://acme.myshopify.com',
  },
  slack: { owns: ['slack.com'], example: 'slack.com/api/chat.postMessage' },
  spotify: { owns: ['spotify.com'], example: 'api.spotify.com/v1/me/playlists' },
  stripe: { owns: ['stripe.com'], example: 'api.stripe.com/v1/charges' },
  supabase: { owns: ['supabase.com'], example: 'api.supabase.com/v1/projects' },
  'supabase-project': {
    owns: ['acme.supabase.co'],
    example: 'acme.supabase.co/rest/v1/todos',
    baseUrl: 'https://acme.supabase.co',
  },
  'telegram-bot': { owns: ['telegram.org'], example: 'api.telegram.org/bot{secret}/getMe' },
  todoist: { owns: ['todoist.com'], example: 'api.todoist.com/api/v1/tasks' },
  together: { owns: ['together.ai', 'together.xyz'], example: 'api.together.ai/v1/chat/completions' },
  tolt: { owns: ['tolt.com'], example: 'api.tolt.com/v1/partners' },
  twilio: { owns: ['twilio.com'], example: 'api.twilio.com/2010-04-01/Accounts/AC1/Messages.json' },
  twitch: { owns: ['twitch.tv'], example: 'api.twitch.tv/helix/users' },
  typeform: { owns: ['typeform.com'], example: 'api.typeform.com/forms' },
  vercel: { owns: ['vercel.com'], example: 'api.vercel.com/v9/projects' },
  'vertex-ai': { owns: google, example: 'europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l' },
  wistia: { owns: ['wistia.com'], example: 'api.wistia.com/v1/medias.json' },
  x: { owns: ['x.com', 'twitter.com'], example: 'api.x.com/2/users/me' },
  xai: { owns: ['x.ai'], example: 'api.x.ai/v1/chat/completions' },
  youtube: { owns: google, example: 'www.googleapis.com/youtube/v3/channels' },
  zapier: { owns: ['zapier.com'], example: 'api.zapier.com/v2/zaps' },
  'zoho-crm': {
    owns: [
      'zohoapis.com',
      'zohoapis.eu',
      'zohoapis.in',
      'zohoapis.com.au',
      'zohoapis.jp',
      'zohoapis.ca',
      'zohoapis.sa',
    ],
    example: 'www.zohoapis.eu/crm/v8/Leads',
  },
  zoom: { owns: ['zoom.us'], example: 'api.zoom.us/v2/users/me' },
};

const documents = (await loadBundled()) as readonly Readonly<Record<string, unknown>>[];
const names = documents.map((document) => String(document.name));
const provider = (name: string): Provider => {
  const document = documents.find((each) => each.name === name);
  return parseProvider(document, 'bundled', { baseUrl: reviewed[name]?.baseUrl });
};
const everyProvider = names.map(provider);
const tableOf = (providers: readonly Provider[]) =>
  compileRoutes(
    providers.flatMap((each) =>
      routesOf(each, 'default', { allowPrivateAddress: false, approved: definedHosts(each) }),
    ),
  );
const split = (example: string): readonly [string, string] => {
  const slash = example.indexOf('/');
  return [example.slice(0, slash), example.slice(slash)];
};

describe('bundled definitions', () => {
  it('are listed completely, and each was reviewed', () => {
    const files = readdirSync(new URL('definitions/', import.meta.url))
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.replace('.json', ''));
    expect([...names].sort()).toEqual(files.sort());
    expect(Object.keys(reviewed).sort()).toEqual([...names].sort());
  });

  it('say which of them need an address of the customer, and route nothing without one', () => {
    const needy = documents
      .map((document) => parseProvider(document, 'bundled'))
      .filter((each) => each.needsBaseUrl);
    expect(needy.map((each) => each.name)).toEqual(['atlassian-token', 'shopify', 'supabase-project']);
    expect(needy.flatMap((each) => each.inject)).toEqual([]);
  });

  it.each(names)('%s: sends its credential to its own domains only', (name) => {
    const owners = new Set(
      provider(name).inject.flatMap((rule) =>
        rule.hosts.map(({ host, kind }) => (kind === 'regex' ? host : registrableDomain(host))),
      ),
    );
    expect(owners.size).toBeGreaterThan(0);
    for (const owner of owners) expect(reviewed[name]?.owns).toContain(owner);
  });

  it.each(names)('%s: gets the request of its documentation, and nothing else does', (name) => {
    const { example = '', twin, yieldsTo } = reviewed[name] ?? {};
    const [host, path] = split(example);
    const table = tableOf(everyProvider.filter((each) => each.name !== twin && each.name !== yieldsTo));
    expect(table.match(host, 443, path)).toMatchObject({ kind: 'route', route: { provider: name } });
    if (twin !== undefined) expect(tableOf(everyProvider).match(host, 443, path).kind).toBe('ambiguous');
    if (yieldsTo === undefined) return;
    const both = tableOf(everyProvider);
    expect(both.match(host, 443, path)).toMatchObject({ kind: 'route', route: { provider: yieldsTo } });
    const own = both.forConnection(`${name}/default`)?.match(host, 443, path);
    expect(own).toMatchObject({ kind: 'route', route: { provider: name } });
  });

  it.each(names)('%s: gives nothing to look-alikes, other ports or traversals', (name) => {
    const [host, path] = split(reviewed[name]?.example ?? '');
    const table = tableOf([provider(name)]);
    for (const other of [
      `${host}.evil.example`,
      `evil-${host}.example`,
      host.replace('.', '-'),
      `${host}x`,
    ]) {
      expect(table.match(other, 443, path).kind).toBe('none');
      expect(table.hasHost(other, 443)).toBe(false);
    }
    expect(table.match(host, 8443, path).kind).toBe('none');
    expect(table.match(host, 443, `${path.split('?')[0]}/%2e%2e/x`).kind).toBe('refused');
  });

  it.each(names)('%s: has a phantom that passes for its key and is none', (name) => {
    const each = provider(name);
    const [one, two] = [phantomFor(each, randomBytes), phantomFor(each, randomBytes)];
    expect(one).not.toBe(two);
    if (each.apiKey?.keyPattern !== undefined) expect(one).toMatch(each.apiKey.keyPattern);
    // Hexadecimal keys have no room for the word.
    if (name !== 'datadog' && name !== 'mailchimp') expect(one).toContain('phantom');
  });

  it.each(names)('%s: speaks https only, and tells people where to go', (name) => {
    const document = documents.find((each) => each.name === name) ?? {};
    expect(JSON.stringify(document)).not.toContain('http:');
    const { docs, setup, displayName, exportVariables, capture } = provider(name);
    expect(docs).toMatch(/^https:/);
    expect(setup.url).toMatch(/^https:/);
    expect(setup.steps.length).toBeGreaterThan(0);
    expect(displayName).not.toBe('');
    // A program that signs in by itself keeps what it holds in its own files.
    if (capture === undefined) expect(exportVariables.length).toBeGreaterThan(0);
    else expect(exportVariables).toEqual([]);
  });

  it('uses each environment variable for one provider only, twins and family apart', () => {
    const users = new Map<string, string[]>();
    for (const each of everyProvider) {
      for (const { name } of each.exportVariables) users.set(name, [...(users.get(name) ?? []), each.name]);
    }
    expect(Array.from(users).filter(([, providers]) => providers.length > 1)).toEqual([]);
  });

  it.each([
    // An installation token that is a JWT: some 500 characters, with dots.
    [
      'github',
      `ghs_12345_${'eyJhbGciOiJSUzI1NiJ9'.repeat(10)}.${'eyJpc3MiOiIx'.repeat(20)}.${'c2ln-_'.repeat(12)}`,
    ],
    ['github', `ghs_${'a1B2'.repeat(9)}`],
    ['slack', `xapp-1-A0123456789-1234567890123-${'0a1b'.repeat(16)}`],
    ['slack', `xoxb-123456789012-1234567890123-${'a1B2'.repeat(6)}`],
  ])('%s: takes %s for a key', (name, key) => {
    expect(key).toMatch(provider(name).apiKey?.keyPattern ?? /^$/);
    expect(`see ${key}`).not.toMatch(provider(name).apiKey?.keyPattern ?? /^/);
  });

  it.each([
    ['sk-ant-oat01-', 'Authorization', 'Bearer ', 'x-api-key'],
    ['sk-ant-api03-', 'x-api-key', '', 'Authorization'],
  ])(
    'anthropic: a key that begins with %s goes into %s, and nothing into the other header',
    (start, ...expected) => {
      const [route] = routesOf(provider('anthropic'), 'default', {
        allowPrivateAddress: false,
        approved: undefined,
      });
      if (route === undefined) throw new TypeError('no route');
      const [name, prefix, instead] = expected;
      expect(placementsFor(route, start + 'a1B2'.repeat(20))[0]).toMatchObject([
        { kind: 'header', name, prefix, instead: [instead] },
      ]);
    },
  );
});

/** As the services' own documentation has it; every other definition has one list of places, of headers and Basic. */
const places: Readonly<Record<string, readonly string[]>> = {
  anthropic: ['header x-api-key', 'header Authorization'],
  clearbit: ['header Authorization', 'Basic'],
  'discord-bot': [
    'header Authorization, at https://discord.com/api',
    'WebSocket messages /d/token, at gateway.discord.gg, regex:^gateway-[a-z0-9-]+\\.discord\\.gg$',
  ],
  gemini: [
    'header x-goog-api-key, at generativelanguage.googleapis.com',
    'query parameter key, at generativelanguage.googleapis.com',
    'header x-goog-api-key, at https://generativelanguage.googleapis.com/v1beta/openai',
    'header Authorization, at https://generativelanguage.googleapis.com/v1beta/openai',
  ],
  hunter: ['header Authorization', 'header X-API-KEY', 'query parameter api_key'],
  mailchimp: ['Basic', 'header Authorization'],
  semrush: ['query parameter key'],
  slack: [
    'header Authorization, at https://slack.com/api',
    'form field token, at https://slack.com/api',
    'header Authorization, at files.slack.com',
  ],
  stripe: ['header Authorization', 'Basic'],
  'telegram-bot': ['path /bot{secret}/', 'path /file/bot{secret}/'],
};

describe('the places of a credential', () => {
  it.each(Object.entries(places))('of %s are those that its documentation names', (name, expected) => {
    const said = asksOf(provider(name)).placements;
    const withHosts = expected.some((place) => place.includes(', at '));
    expect(withHosts ? said : said.map((place) => place.replace(/, at .*/, ''))).toEqual(expected);
  });

  it('of GitLab and GitHub have every documented form of their tokens', () => {
    const rule = (name: string) => provider(name).inject[0];
    expect(rule('gitlab')?.alternatives).toEqual([
      [{ kind: 'header', name: 'PRIVATE-TOKEN', prefix: '' }],
      [{ kind: 'query', name: 'private_token' }],
      [{ kind: 'query', name: 'access_token' }],
    ]);
    expect(rule('github')?.alternatives).toEqual([
      [{ kind: 'header', name: 'Authorization', prefix: 'token ' }],
      [{ kind: 'basic', username: 'x-access-token', secretAs: 'password' }],
    ]);
  });

  it('of a Supabase project leave a user’s own session token where it is', () => {
    expect(provider('supabase-project').inject[0]?.placements).toEqual([
      { kind: 'header', name: 'apikey', prefix: '' },
      { kind: 'header', name: 'Authorization', prefix: 'Bearer ', when: 'phantom' },
    ]);
  });

  it('of every other definition are one list of headers, Basic or a query', () => {
    const named = [...Object.keys(places), 'gitlab', 'github', 'supabase-project'];
    // What a program signs in by itself is placed by phantom alone.
    const others = everyProvider.filter(
      ({ name, document }) => !named.includes(name) && document.capture === undefined,
    );
    expect(others.length).toBeGreaterThan(80);
    for (const { inject } of others) {
      for (const { placements, alternatives } of inject) {
        expect(alternatives).toBeUndefined();
        expect(placements.every((placement) => !isByPhantom(placement))).toBe(true);
      }
    }
  });
});
