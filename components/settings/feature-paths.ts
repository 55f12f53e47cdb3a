const NONE = "none";

/** The paths of a list such as `/cameras?limit=1, /counting-results?cameraId=1`; none of `none`. */
export function featurePaths(text: string): string[] {
	return text.trim() === NONE ? [] : text.split(",").map((path) => path.trim());
}

/** Whether a text is such a list. */
export function isPathList(text: string): boolean {
	return featurePaths(text).every((path) => /^\/[\x21-\x7e]*$/.test(path));
}
