import { hasDigest, hasPinnedTag, isImageId } from "../image";
import { oneOf, type ResourceRule } from "../rule";
import { CONTAINER, type ContainerProps } from "./container";

const REMOTE_IMAGE = "docker:index/remoteImage:RemoteImage";

export const containerImageIsPinned: ResourceRule<ContainerProps & { name: string }> = {
	name: "docker-image-pinned",
	description: "Images are named by digest in production, and elsewhere by digest or by a tag that stays.",
	isAbout: oneOf(CONTAINER, REMOTE_IMAGE),
	faults({ type, props }, { environment }) {
		const image = (type === CONTAINER ? props.image : props.name) ?? "";
		if (hasDigest(image) || (type === CONTAINER && isImageId(image))) {
			return [];
		}
		if (environment === "production") {
			return [`image ${image} may become another one: name it by digest, as NAME@sha256:DIGEST`];
		}
		return !isImageId(image) && hasPinnedTag(image)
			? []
			: [`image ${image} becomes another one with time: name its version, or its digest`];
	},
};
