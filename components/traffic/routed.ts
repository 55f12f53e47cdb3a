import { openRouter, type RouterReference } from "./router-reference";
import { RouterUnreachable, type Target } from "./routing";

/**
 * Whether requests go to a target and are answered there.
 *
 * @returns also false while a router that the stack runs itself does not answer: the same update brings it up first
 * @throws RouterUnreachable when AWS does not answer: that is no change of the stack, and nothing in it would mend it
 */
export async function isRouted(reference: RouterReference, { targetGroup, url }: Target): Promise<boolean> {
	const router = openRouter(reference);
	try {
		const active = await router.active();
		return active?.targetGroup === targetGroup && active.url === url && (await router.answers?.()) !== false;
	} catch (error) {
		if (error instanceof RouterUnreachable && reference.kind !== "alb") {
			return false;
		}
		throw error;
	}
}
