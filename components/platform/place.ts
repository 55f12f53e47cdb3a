import type { StackInputs } from "../release/stack";
import { dockerSettings } from "../settings/docker";
import { DockerPlatform } from "./docker";
import { LocalPlatform } from "./local";
import type { Platform } from "./platform";

/** Where a stack's settings say that it runs. */
export function platformOf({ names, settings }: StackInputs): Platform {
	return settings.platform === "docker"
		? new DockerPlatform(names, dockerSettings(settings))
		: new LocalPlatform(names, settings);
}
