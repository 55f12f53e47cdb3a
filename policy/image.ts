const DIGEST = /^(.+@)?sha256:[0-9a-f]{64}$/;

/** Whether an image is named by what is in it, so that nobody can put something else in its place. */
export function hasDigest(image: string): boolean {
	return DIGEST.test(image);
}

/** Whether an image is named by a tag that is meant to stay with what it names. */
export function hasPinnedTag(image: string): boolean {
	// A colon before the last slash is that of the registry's port.
	const [, tag] = image.slice(image.lastIndexOf("/") + 1).split(":");
	return tag !== undefined && tag !== "" && tag !== "latest";
}
