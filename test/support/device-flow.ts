/** A provider with the device flow, whose server is scripted. */
import { acme, hosts, type Service } from './service/index.ts';

/** Acme with the device flow. The demo's server has none: `scriptDeviceFlow` answers in its place. */
export const acmeDevice = {
  ...acme,
  name: 'acme-device',
  display_name: 'Acme Device',
  client: { client_id: 'public-client' },
  oauth: {
    ...acme.oauth,
    device_authorization_url: `https://${hosts.login}/device`,
    token_endpoint_auth_method: 'none',
  },
};

export const userCode = 'WDJB-MJHT';

/** Asked at each poll whether the person has approved. */
export function scriptDeviceFlow(
  { authorization }: Service,
  options: { readonly intervalSeconds: number; isApproved(): boolean },
): void {
  authorization.misbehave((request, response) => {
    const answer = (status: number, body: unknown): boolean => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return true;
    };
    if (request.url === '/device') {
      return answer(200, {
        device_code: 'dc_0123456789',
        user_code: userCode,
        verification_uri: `https://${hosts.login}/activate`,
        expires_in: 600,
        interval: options.intervalSeconds,
      });
    }
    // The public client's polls are the only token requests without a password.
    if (request.url !== '/token' || request.headers.authorization !== undefined) return false;
    if (!options.isApproved()) return answer(400, { error: 'authorization_pending' });
    return answer(200, { access_token: 'at_device_0123456789', token_type: 'bearer', scope: 'read' });
  });
}
