const SHA256 = "sha256:[0-9a-f]{64}";
const BY_DIGEST = new RegExp(`^[^@\\s]+@${SHA256}$`);
const BY_ID = new RegExp(`^${SHA256}$`);

/** Whether an image is named by what is in it, so that nobody can put something else in its place. */
export function hasDigest(image: string): boolean {
	return BY_DIGEST.test(image);
}

/** Whether an image is named by its number on the engine's host alone, which no registry knows. */
export function isImageId(image: string): boolean {
	return BY_ID.test(image);
}

/** Whether an image is named by a tag that is meant to stay with what it names. */
export function hasPinnedTag(image: string): boolean {
	// With a digest it is the digest that counts.
	const tag = image.includes("@") ? undefined : partsOf(image).tag;
	return tag !== undefined && tag !== "" && tag.toLowerCase() !== "latest";
}

/** What an image is called, without its registry, the folders there, its tag and its digest. */
export function imageName(image: string): string {
	return partsOf(image).name;
}

function partsOf(image: string): { name: string; tag: string | undefined } {
	const [named = ""] = image.split("@");
	// A colon before the last slash is that of the registry's port.
	const [name = "", tag] = named.slice(named.lastIndexOf("/") + 1).split(":");
	return { name, tag };
}
