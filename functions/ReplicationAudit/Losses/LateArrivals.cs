using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;

namespace Failover.ReplicationAudit.Losses;

/// <summary>A write of another region that came late.</summary>
/// <param name="At">When it was here, to the end of the second.</param>
public sealed record LateArrival(string Key, string Version, DateTimeOffset At);

/// <summary>
/// The writes that came to this region late, in its journal: should a move have landed before one of them came, it was missing then. A region that is lost can no longer be asked.
/// </summary>
public sealed class LateArrivals(IAmazonDynamoDB dynamoDb, string table, TimeSpan callTimeout)
{
    /// <summary>Twice what AWS says replication mostly takes. What is under way for less is not counted as missing: a stream tells times to the second.</summary>
    public static readonly TimeSpan LateAfter = TimeSpan.FromSeconds(2);

    /// <summary>Longer than what comes late can still be of a move that is being accounted for.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(8);

    /// <summary>A version, a time, and what JSON puts around them.</summary>
    private const int BytesAnArrival = 200;

    /// <summary>Adds those of a stream batch. The same again are the same rows.</summary>
    public async Task AddAsync(string origin, IReadOnlyList<LateArrival> arrivals, CancellationToken cancellationToken)
    {
        foreach (var chunk in Chunks.BySize(arrivals, arrival => (arrival.Key.Length * Chunks.BytesACharacterMax) + BytesAnArrival))
        {
            LateArrival[] part = [.. chunk];
            var body = JsonSerializer.Serialize(part, JsonContext.Default.LateArrivalArray);
            var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)))[..32];
            using var deadline = cancellationToken.Within(callTimeout);
            await dynamoDb.PutItemAsync(
                new PutItemRequest(table, new()
                {
                    ["kind"] = new(KindOf(origin)),
                    ["id"] = new(string.Create(CultureInfo.InvariantCulture, $"{part.Max(arrival => arrival.At).ToUnixTimeMilliseconds():x12}#{name}")),
                    ["body"] = new(body),
                    ["ttl"] = new() { N = (part.Max(arrival => arrival.At) + Lifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) },
                }),
                deadline.Token);
        }
    }

    /// <summary>All that came from a region, newest first, back to <paramref name="since"/>.</summary>
    public async IAsyncEnumerable<LateArrival> ReadAsync(string origin, DateTimeOffset since, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new QueryRequest(table)
        {
            KeyConditionExpression = "kind = :kind",
            ExpressionAttributeValues = new() { [":kind"] = new(KindOf(origin)) },
            ConsistentRead = true,
            ScanIndexForward = false,
        };
        do
        {
            using var deadline = cancellationToken.Within(callTimeout);
            var page = await dynamoDb.QueryAsync(request, deadline.Token);
            foreach (var row in page.Items ?? [])
            {
                var part = JsonSerializer.Deserialize(row["body"].S, JsonContext.Default.LateArrivalArray)!;
                if (part.All(arrival => arrival.At < since))
                {
                    yield break;
                }

                foreach (var arrival in part)
                {
                    yield return arrival;
                }
            }

            request.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (request.ExclusiveStartKey is { Count: > 0 });
    }

    private static string KindOf(string origin) => "late#" + origin;
}
