import type { Settings } from "./settings";

/** What platform `docker` needs beside the settings that every platform has. */
export type DockerSettings = Settings & Required<Pick<Settings, DockerDefault>>;

type DockerDefault = keyof typeof dockerDefaults;

/** What is there for each key that the stack file leaves out. */
export const dockerDefaults = {
	databasePort: 15_432,
	gatewayPort: 8080,
	routerPort: 19_999,
	publicAddress: "127.0.0.1",
	databaseImage: "postgres:18.4",
	routerImage: "haproxy:3.2.4",
} as const;

/** Completes the settings of a stack on platform `docker`. */
export function dockerSettings(settings: Settings): DockerSettings {
	return { ...dockerDefaults, ...settings };
}
