/** The superuser of a stack's server on this machine. */
export const SUPERUSER = "postgres";

/** The role that a deployment works as where it goes without a superuser. */
export const ADMINISTRATOR = "deployment";
