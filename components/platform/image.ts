import type { Settings } from "../settings/settings";

/** The image of the release's service, where services are containers. */
export function imageOf({
	serviceImage,
	release,
}: Pick<Settings, "serviceImage" | "release">): string | undefined {
	return serviceImage?.replaceAll("{release}", release);
}
