import { EnvHttpProxyAgent, setGlobalDispatcher } from 'undici';

/** Makes every `fetch` of this process go where `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say. */
export function install(): void {
  setGlobalDispatcher(new EnvHttpProxyAgent());
}
