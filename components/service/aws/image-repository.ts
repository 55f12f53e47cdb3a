/** The registry's name says whose it is, where it is, and in which part of AWS. */
const ON_ECR = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.(amazonaws\.com|amazonaws\.com\.cn)\/([a-z0-9._/-]+)@/;

/**
 * The repository of an image of Amazon's registry; undefined for an image of another one, which must be public.
 *
 * @param image by digest
 */
export function repositoryArn(image: string): string | undefined {
	const [, account, region = "", domain, repository] = ON_ECR.exec(image) ?? [];
	if (account === undefined) {
		return undefined;
	}
	const partition =
		domain === "amazonaws.com.cn" ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
	return `arn:${partition}:ecr:${region}:${account}:repository/${repository}`;
}
