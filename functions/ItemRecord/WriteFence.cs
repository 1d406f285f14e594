using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Failover.ItemRecord;

/// <summary>
/// The row by which planned moves stop writes at one replica: <c>_fence#&lt;replica&gt;</c>, with the time at which each service's fence ends by itself.
/// It is written and read in that replica only; services that share it are fenced together, and each lifts its own fence only. A writer believes for <see cref="Believed"/> what it read, so that the row is never a hot one.
/// </summary>
public sealed class WriteFence(IAmazonDynamoDB dynamoDb, string table, string replica, TimeProvider time)
{
    /// <summary>How long a reading is believed.</summary>
    public static readonly TimeSpan Believed = TimeSpan.FromSeconds(2);

    private const string UntilPrefix = "until#";
    private const string OrderPrefix = "order#";

    private Reading? _last;

    /// <summary>Lets writers refuse writes until then; null: lets them accept them again. False: there is a newer order, and nothing was changed.</summary>
    /// <param name="order">When it was ordered: what was long on its way changes no newer order's fence.</param>
    public static async Task<bool> PutAsync(
        IAmazonDynamoDB dynamoDb, string table, string replica, string service, DateTimeOffset order, DateTimeOffset? until, CancellationToken cancellationToken)
    {
        try
        {
            await dynamoDb.UpdateItemAsync(
                new UpdateItemRequest
                {
                    TableName = table,
                    Key = KeyOf(replica),
                    UpdateExpression = "SET #until = :until, #order = :order",
                    ConditionExpression = "attribute_not_exists(#order) OR #order <= :order",
                    ExpressionAttributeNames = new() { ["#until"] = UntilPrefix + service, ["#order"] = OrderPrefix + service },
                    ExpressionAttributeValues = new() { [":until"] = Number(until?.ToUnixTimeMilliseconds() ?? 0), [":order"] = Number(order.ToUnixTimeMilliseconds()) },
                },
                cancellationToken);
            return true;
        }
        catch (ConditionalCheckFailedException)
        {
            return false;
        }
    }

    /// <summary>Until when writes are refused; null if they are not.</summary>
    public async Task<DateTimeOffset?> ReadAsync(CancellationToken cancellationToken)
    {
        var last = _last;
        if (last is null || Moment.Of(time).AtMostSince(last.Sent) >= Believed)
        {
            // Counted from before it was sent: an answer that was long on its way is old when it comes.
            var sent = Moment.Of(time);
            var response = await dynamoDb.GetItemAsync(new GetItemRequest(table, KeyOf(replica), consistentRead: true), cancellationToken);
            var until = (response.Item ?? []).Where(attribute => attribute.Key.StartsWith(UntilPrefix, StringComparison.Ordinal))
                .Select(attribute => long.TryParse(attribute.Value.N, NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? at : 0).DefaultIfEmpty(0).Max();
            _last = last = new Reading(sent, DateTimeOffset.FromUnixTimeMilliseconds(until));
        }

        return last.Until > time.GetUtcNow() ? last.Until : null;
    }

    private static Dictionary<string, AttributeValue> KeyOf(string replica) => new() { [ItemAttributes.Id] = new("_fence#" + replica) };

    private static AttributeValue Number(long value) => new() { N = value.ToString(CultureInfo.InvariantCulture) };

    private sealed record Reading(Moment Sent, DateTimeOffset Until);
}
