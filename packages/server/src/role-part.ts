/** The parts of which one server process runs some or all. */
export const ROLE_PARTS = ['api', 'worker'] as const;
export type RolePart = (typeof ROLE_PARTS)[number];
