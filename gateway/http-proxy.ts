/** One proxy of the library, which is an ES module and so cannot be imported at the top. */
export async function createProxy() {
	const { createProxyServer } = await import("httpxy");
	return createProxyServer();
}

export type HttpProxy = Awaited<ReturnType<typeof createProxy>>;
