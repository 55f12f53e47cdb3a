import type { StackInputs } from "../release/stack";
import { awsSettings } from "../settings/aws";
import { dockerSettings } from "../settings/docker";
import { DockerPlatform } from "./docker";
import { LocalPlatform } from "./local";
import type { Platform } from "./platform";

/** Where a stack's settings say that it runs. */
export function platformOf({ names, stack, settings, last }: StackInputs): Platform {
	switch (settings.platform) {
		case "local":
			return new LocalPlatform(names, settings);
		case "docker":
			return new DockerPlatform(names, dockerSettings(settings));
		case "aws": {
			// Loaded where it is needed: the SDK's resources of AWS would cost every other stack more than a second.
			const { AwsPlatform } = require("./aws/platform") as typeof import("./aws/platform");
			const recorded = Object.values(last?.colors?.colors ?? {});
			return new AwsPlatform(
				stack,
				awsSettings(settings),
				recorded.flatMap(({ service }) => service.tasks ?? []),
			);
		}
	}
}
