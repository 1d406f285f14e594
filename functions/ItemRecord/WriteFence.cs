using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>
/// The row by which a planned move stops writes at one replica: <c>_fence#&lt;replica&gt;</c>, with the time at which it ends by itself.
/// It is written and read in that replica only. A writer believes for <see cref="Believed"/> what it read, so that the row is never a hot one.
/// </summary>
public sealed class WriteFence(IAmazonDynamoDB dynamoDb, string table, string replica, TimeProvider time)
{
    /// <summary>How long a reading is believed.</summary>
    public static readonly TimeSpan Believed = TimeSpan.FromSeconds(2);

    private const string Until = "until";

    private Reading? _last;

    /// <summary>The key of a replica's fence.</summary>
    public static Dictionary<string, AttributeValue> KeyOf(string replica) => new() { [ItemAttributes.Id] = new("_fence#" + replica) };

    /// <summary>Lets writers refuse writes until then; null: lets them accept them again.</summary>
    public static Task PutAsync(IAmazonDynamoDB dynamoDb, string table, string replica, DateTimeOffset? until, CancellationToken cancellationToken)
    {
        var item = KeyOf(replica);
        item[Until] = new() { N = (until?.ToUnixTimeMilliseconds() ?? 0).ToString(CultureInfo.InvariantCulture) };
        return dynamoDb.PutItemAsync(new PutItemRequest(table, item), cancellationToken);
    }

    /// <summary>Until when writes are refused; null if they are not.</summary>
    public async Task<DateTimeOffset?> ReadAsync(CancellationToken cancellationToken)
    {
        var last = _last;
        if (last is null || time.GetElapsedTime(last.Timestamp) >= Believed)
        {
            // Counted from before it was sent: an answer that was long on its way is old when it comes.
            var timestamp = time.GetTimestamp();
            var response = await dynamoDb.GetItemAsync(new GetItemRequest(table, KeyOf(replica), consistentRead: true), cancellationToken);
            var until = response.IsItemSet && long.TryParse(response.Item.GetValueOrDefault(Until)?.N, NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? at : 0;
            _last = last = new Reading(timestamp, DateTimeOffset.FromUnixTimeMilliseconds(until));
        }

        return last.Until > time.GetUtcNow() ? last.Until : null;
    }

    private sealed record Reading(long Timestamp, DateTimeOffset Until);
}
