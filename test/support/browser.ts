/** A browser without script, for the pages of a sign-in. The demo uses it as well. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface BrowserOptions {
  /** Where `https:` names are: one loopback port for all of them; left out, the port that an address names. */
  readonly port?: number;
  readonly caPem: string;
}

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly html: string;
  readonly headers: IncomingMessage['headers'];
}

/** What a person does with a browser and no script: follow links, keep cookies, send forms. */
export interface Browser {
  open(url: string): Promise<Page>;
  /** Sends the page's first form with these values over its own, as if this button was pressed. */
  submit(page: Page, values: Readonly<Record<string, string>>): Promise<Page>;
  /** As `submit`, but stops at the first redirect to `origin`, and returns its address without going there. */
  redirectOf(page: Page, values: Readonly<Record<string, string>>, origin: string): Promise<string>;
}

export function createBrowser(options: BrowserOptions): Browser {
  const cookies = new Map<string, Map<string, string>>();

  async function visit(
    method: 'GET' | 'POST',
    address: string,
    form?: URLSearchParams,
    stopAt?: string,
  ): Promise<Page> {
    const url = new URL(address);
    const jar = cookies.get(url.hostname) ?? new Map<string, string>();
    cookies.set(url.hostname, jar);
    const body = form?.toString();
    const headers: Record<string, string> = { accept: 'text/html', 'sec-fetch-mode': 'navigate' };
    if (jar.size > 0) headers.cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    if (body !== undefined) {
      headers['content-type'] = 'application/x-www-form-urlencoded';
      headers.origin = url.origin;
      headers['sec-fetch-site'] = 'same-origin';
    }
    const { response, html } = await send(url, { method, headers }, body);
    for (const line of response.headers['set-cookie'] ?? []) {
      const [pair = ''] = line.split(';', 1);
      const at = pair.indexOf('=');
      jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (status >= 300 && status < 400 && location !== undefined) {
      const next = new URL(location, url);
      if (next.origin === stopAt) return { url: next.href, status, html: '', headers: response.headers };
      return visit('GET', next.href, undefined, stopAt);
    }
    return { url: url.href, status, html, headers: response.headers };
  }

  async function send(
    url: URL,
    init: { readonly method: string; readonly headers: Record<string, string> },
    body: string | undefined,
  ): Promise<{ response: IncomingMessage; html: string }> {
    const call =
      url.protocol === 'https:'
        ? httpsRequest({
            ...init,
            host: '127.0.0.1',
            port: options.port ?? url.port,
            path: `${url.pathname}${url.search}`,
            servername: url.hostname,
            headers: { ...init.headers, host: url.host },
            ca: options.caPem,
            agent: false,
          })
        : httpRequest(url, { ...init, agent: false });
    call.end(body);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      call.on('response', resolve).on('error', reject);
    });
    response.setEncoding('utf8');
    let html = '';
    for await (const chunk of response) html += chunk;
    return { response, html };
  }

  async function submit(
    page: Page,
    values: Readonly<Record<string, string>>,
    stopAt?: string,
  ): Promise<Page> {
    const form = readForm(page);
    const fields = new URLSearchParams(form.fields);
    for (const [name, value] of Object.entries(values)) fields.set(name, value);
    return visit('POST', form.action, fields, stopAt);
  }

  return {
    open: (url) => visit('GET', url),
    submit: (page, values) => submit(page, values),
    async redirectOf(page, values, origin) {
      return (await submit(page, values, origin)).url;
    },
  };
}

/** The first form's address and the values it already contains. */
function readForm(page: Page): { readonly action: string; readonly fields: Record<string, string> } {
  const form = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(page.html);
  if (form === null) throw new Error(`no form on ${page.url} (status ${page.status}):\n${page.html}`);
  const [, head = '', content = ''] = form;
  const fields: Record<string, string> = {};
  for (const [tag] of content.matchAll(/<input\b[^>]*>/gi)) {
    const name = attribute(tag, 'name');
    const type = attribute(tag, 'type');
    if (name !== undefined && type !== 'submit' && type !== 'checkbox') {
      fields[name] = attribute(tag, 'value') ?? '';
    }
  }
  return { action: new URL(attribute(head, 'action') || page.url, page.url).href, fields };
}

function attribute(tag: string, name: string): string | undefined {
  const match = new RegExp(`\\s${name}\\s*=\\s*("([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag);
  const value = match?.[2] ?? match?.[3] ?? match?.[4];
  return value
    ?.replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&');
}
