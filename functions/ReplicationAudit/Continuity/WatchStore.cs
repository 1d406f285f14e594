using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;

namespace Failover.ReplicationAudit.Continuity;

/// <summary>What the audit remembers from one invocation to the next: a row of this region's journal, with times in Unix milliseconds by name.</summary>
public sealed class WatchStore(IAmazonDynamoDB dynamoDb, string table, TimeSpan callTimeout)
{
    private static readonly Dictionary<string, AttributeValue> Key = new() { ["kind"] = new("audit"), ["id"] = new("watch") };

    /// <summary>The newest heartbeat of an observer that was read off the stream.</summary>
    public static string Handled(string observer) => "handled#" + observer;

    /// <summary>Since when a peer is told as stalled.</summary>
    public static string Stalled(string peer) => "stalled#" + peer;

    /// <summary>Since when a peer is known to show no heartbeat at all.</summary>
    public static string Silent(string peer) => "silent#" + peer;

    /// <summary>Since when the stream is told as read too late.</summary>
    public static string Late(string observer) => "late#" + observer;

    /// <summary>All of it, strongly read.</summary>
    public async Task<IReadOnlyDictionary<string, long>> ReadAsync(CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        var response = await dynamoDb.GetItemAsync(new GetItemRequest(table, Key, consistentRead: true), deadline.Token);
        return (response.Item ?? []).Where(pair => pair.Value.N is not null).ToDictionary(pair => pair.Key, pair => long.Parse(pair.Value.N, CultureInfo.InvariantCulture));
    }

    /// <summary>Remembers a time, unless a later one of that name is remembered.</summary>
    public async Task RememberAsync(string name, long unixMilliseconds, CancellationToken cancellationToken)
    {
        try
        {
            await UpdateAsync("SET #name = :value", "attribute_not_exists(#name) OR #name < :value", name, unixMilliseconds, cancellationToken);
        }
        catch (ConditionalCheckFailedException)
        {
        }
    }

    public Task ForgetAsync(string name, CancellationToken cancellationToken) => UpdateAsync("REMOVE #name", condition: null, name, value: null, cancellationToken);

    private async Task UpdateAsync(string update, string? condition, string name, long? value, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        await dynamoDb.UpdateItemAsync(
            new UpdateItemRequest
            {
                TableName = table,
                Key = Key,
                UpdateExpression = update,
                ConditionExpression = condition,
                ExpressionAttributeNames = new() { ["#name"] = name },
                ExpressionAttributeValues = value is { } number ? new() { [":value"] = new() { N = number.ToString(CultureInfo.InvariantCulture) } } : null,
            },
            deadline.Token);
    }
}
