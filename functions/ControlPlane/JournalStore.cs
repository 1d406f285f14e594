using System.Globalization;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Failover.ControlPlane;

/// <summary>The journal of one region: a plain table with time to live. Readers merge the regions.</summary>
public sealed class JournalStore(IAmazonDynamoDB dynamoDb, string table, TimeSpan callTimeout)
{
    /// <summary>How long a line is kept.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    private const string DecisionPrefix = "decision#";

    /// <summary>Adds a line. Its key is observer and slot, so that writing it twice makes one.</summary>
    public async Task WriteAsync(JournalEntry entry, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        await dynamoDb.PutItemAsync(
            new PutItemRequest(table, new Dictionary<string, AttributeValue>
            {
                ["kind"] = new(DecisionPrefix + entry.Service),
                ["id"] = new(string.Create(CultureInfo.InvariantCulture, $"{entry.Slot:D12}#{entry.Observer}")),
                ["body"] = new(JsonSerializer.Serialize(entry, ControlJson.Default.JournalEntry)),
                ["ttl"] = new() { N = (entry.At + Lifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) },
            }),
            deadline.Token);
    }

    /// <summary>The newest lines of a service, newest last.</summary>
    public async Task<IReadOnlyList<JournalEntry>> ReadAsync(string service, int limit, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        var response = await dynamoDb.QueryAsync(
            new QueryRequest(table)
            {
                KeyConditionExpression = "kind = :kind",
                ExpressionAttributeValues = new() { [":kind"] = new(DecisionPrefix + service) },
                ScanIndexForward = false,
                Limit = limit,
            },
            deadline.Token);
        return [.. (response.Items ?? []).Select(item => JsonSerializer.Deserialize(item["body"].S, ControlJson.Default.JournalEntry)!).Reverse()];
    }
}
