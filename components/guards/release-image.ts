export interface ReleaseImage {
	release: string;
	/** What the release's service would run; undefined where services are no containers. */
	image: string | undefined;
	/** The release that is live. */
	present: string | undefined;
	/** What each release runs that the stack has a colour of, by release. */
	held: Readonly<Record<string, string>>;
	/** Whether a release has to have been tried elsewhere before. */
	strict: boolean;
	/** The one release that may go without. */
	releaseWithoutStaging?: string;
}

/**
 * What stands against the image of a release. An image is code: another one under the name of a release that the stack has
 * would come past the stack before this one, the stages and the cutover. A new release with the image of the live one is
 * the code of that, which may be meant.
 */
export function judgeImage({ release, image, present, held, strict, releaseWithoutStaging }: ReleaseImage): {
	fault?: string;
	exception?: string;
} {
	if (image === undefined) {
		return {};
	}
	const own = held[release];
	if (own === undefined) {
		return present !== undefined && held[present] === image
			? {
					exception: `release ${release} runs the image of ${present}, ${image}: set serviceImage if that is not meant`,
				}
			: {};
	}
	if (own === image || !strict) {
		return {};
	}
	const found = `release ${release} is here with image ${own}, and would get ${image}`;
	return releaseWithoutStaging === release
		? { exception: `${found}, which no stage has tested: releaseWithoutStaging says so` }
		: {
				fault:
					`${found}: an image that is not tested is another release; set serviceImage back to the first, give the second ` +
					`a newer version, or set releaseWithoutStaging to ${release}, which is written down with the deployment`,
			};
}
