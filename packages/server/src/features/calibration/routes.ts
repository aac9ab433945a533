import {
  Calibration,
  CalibrationList,
  CalibrationListQuery,
  CalibrationRequest,
  IdParam,
} from '@assay/contract';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { actorOf } from '../audit/service.ts';
import {
  type CalibrationDeps,
  getCalibration,
  pageOfCalibrations,
  requestCalibration,
} from './service.ts';

const tags = ['results'];
const params = z.object({ calibration: IdParam });

export const calibrationRoutes: FastifyPluginAsyncZod<{ deps: CalibrationDeps }> = async (
  app,
  { deps },
) => {
  app.post(
    '/v1/calibration',
    {
      config: { permission: 'write' },
      schema: {
        operationId: 'requestCalibration',
        summary: 'Measures how often a method errs about the users of an experiment, soon',
        tags,
        body: CalibrationRequest,
        response: { 202: Calibration },
      },
    },
    async (request, reply) => {
      const queued = await requestCalibration(deps, actorOf(request), request.body);
      return reply.status(202).header('location', `/v1/calibration/${queued.id}`).send(queued);
    },
  );

  app.get(
    '/v1/calibration',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'listCalibrations',
        summary: 'Calibrations from the newest on: false-positive rates and coverage by metric',
        tags,
        querystring: CalibrationListQuery,
        response: { 200: CalibrationList },
      },
    },
    ({ query }) => pageOfCalibrations(deps, query),
  );

  app.get(
    '/v1/calibration/:calibration',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'getCalibration',
        summary: 'One calibration: how far it is, or what it found',
        tags,
        params,
        response: { 200: Calibration },
      },
    },
    ({ params: { calibration } }) => getCalibration(deps, calibration),
  );
};
