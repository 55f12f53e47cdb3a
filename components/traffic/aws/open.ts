import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { type AlbAddress, AlbRouter } from "./alb-router";

const CONNECT_TIMEOUT_MS = 5000;
const ANSWER_TIMEOUT_MS = 10_000;
const ATTEMPTS = 5;

/**
 * The router of a stack on platform `aws`, with the credentials that the environment has.
 *
 * @param endpoint of all services, in place of AWS's own
 * @param clock tells when it was told to send requests elsewhere; the machine's own when left out
 */
export function openAlbRouter(address: AlbAddress, endpoint?: string, clock?: () => Date): AlbRouter {
	const options = {
		region: address.region,
		maxAttempts: ATTEMPTS,
		// Waits longer between attempts when AWS says that there are too many.
		retryMode: "adaptive",
		requestHandler: {
			connectionTimeout: CONNECT_TIMEOUT_MS,
			requestTimeout: ANSWER_TIMEOUT_MS,
			throwOnRequestTimeout: true,
		},
		...(endpoint !== undefined && { endpoint }),
	};
	const clients = [new ElasticLoadBalancingV2Client(options), new CloudWatchClient(options)] as const;
	return new AlbRouter(address, ...clients, clock);
}
