export interface ReleaseImage {
	release: string;
	/** What the release's service would run; undefined where services are no containers. */
	image: string | undefined;
	/** What the stack has live. */
	present: { release: string; image: string | undefined } | undefined;
	/** Releases that the stack has completed. */
	own: readonly string[];
	/** Whether a release has to have been tried elsewhere before. */
	strict: boolean;
	/** The one release that may go without. */
	releaseWithoutStaging?: string;
}

/**
 * What stands against the image of a release. An image is code: another one under the name of a release that is live would
 * come past the stack before this one, the stages and the cutover. A new release with the image of the one before is the
 * code of that, which may be meant.
 */
export function judgeImage({ release, image, present, own, strict, releaseWithoutStaging }: ReleaseImage): {
	fault?: string;
	exception?: string;
} {
	if (image === undefined || present?.image === undefined) {
		return {};
	}
	if (release !== present.release) {
		return image === present.image && !own.includes(release)
			? {
					exception: `release ${release} runs the image of ${present.release}, ${image}: set serviceImage if that is not meant`,
				}
			: {};
	}
	if (image === present.image || !strict) {
		return {};
	}
	const found = `release ${release} is live with image ${present.image}, and would get ${image}`;
	return releaseWithoutStaging === release
		? { exception: `${found}, which no stage has tested: releaseWithoutStaging says so` }
		: {
				fault:
					`${found}: an image that is not tested is another release; give it a newer version, ` +
					`or set releaseWithoutStaging to ${release}, which is written down with the deployment`,
			};
}
