import { AuthsomeError, asAuthsomeError } from '../../../errors.ts';
import type { Tenant, Tenants } from '../../../principals/index.ts';

/** A sign-in, and whose it is. */
export interface Found<Result> {
  readonly tenant: Tenant;
  readonly result: Result;
}

/** What `look` finds in the first tenant that has it. SessionNotFound when none has. */
export async function findInTenants<Result>(
  tenants: Tenants,
  look: (tenant: Tenant) => Promise<Result>,
): Promise<Found<Result>> {
  for (const tenant of await tenants.all()) {
    try {
      return { tenant, result: await look(tenant) };
    } catch (error) {
      if (asAuthsomeError(error).code !== 'SessionNotFound') throw error;
    }
  }
  throw new AuthsomeError('SessionNotFound', 'this sign-in does not exist or has expired');
}
