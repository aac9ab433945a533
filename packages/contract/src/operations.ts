import { z } from 'zod';

export const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });

const Part = z.object({
  status: z.enum(['ok', 'degraded', 'down', 'off']),
  detail: z.string().optional(),
  lag_ms: z.number().nullable().optional(),
});

/** Whether this process can serve, part by part; 503 when `status` is `down`. */
export const Readiness = z
  .object({ status: z.enum(['ok', 'degraded', 'down']), parts: z.record(z.string(), Part) })
  .meta({ id: 'Readiness' });
export type Readiness = z.infer<typeof Readiness>;
