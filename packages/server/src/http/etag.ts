import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../errors.ts';
import type { ExpectedVersions } from '../versions.ts';

/**
 * The versions that `If-Match` names; undefined without the header, or for `*`.
 *
 * @throws DomainError `version_mismatch` for what is no ETag of this API
 */
export function expectedVersions(request: FastifyRequest): ExpectedVersions {
  const given = request.headers['if-match'];
  if (given === undefined || given.trim() === '*') return undefined;
  return given.split(',').map((tag) => {
    const match = /^(?:W\/)?"(\d{1,9})"$/.exec(tag.trim());
    if (match === null) {
      const detail = `If-Match ${given.slice(0, 100)} is not an ETag of this API`;
      throw new DomainError('version_mismatch', detail);
    }
    return Number(match[1]);
  });
}

/** The resource as the answer, with its version as the ETag. */
export function tagged<Resource extends { readonly version: number }>(
  reply: FastifyReply,
  resource: Resource,
): Resource {
  reply.header('etag', `"${resource.version}"`);
  return resource;
}
