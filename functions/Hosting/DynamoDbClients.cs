using Amazon;
using Amazon.DynamoDBv2;

namespace Failover.Hosting;

/// <summary>Makes DynamoDB clients with deadlines.</summary>
public static class DynamoDbClients
{
    /// <summary>A client of a region.</summary>
    /// <param name="callTimeout">The deadline of one try; the caller's token bounds all tries together.</param>
    public static AmazonDynamoDBClient Create(string region, TimeSpan callTimeout) => new(ConfigOf(region, callTimeout));

    /// <summary>How each of them is set up.</summary>
    /// <param name="callTimeout">The deadline of one try; the caller's token bounds all tries together.</param>
    public static AmazonDynamoDBConfig ConfigOf(string region, TimeSpan callTimeout) => new()
    {
        RegionEndpoint = RegionEndpoint.GetBySystemName(region),
        // With a custom endpoint (AWS_ENDPOINT_URL_DYNAMODB) the SDK would sign for us-east-1 whatever the region says.
        AuthenticationRegion = region,
        Timeout = callTimeout,
        MaxErrorRetry = 1,
    };
}
