using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Registers;

namespace Failover.ControlPlane;

/// <summary>
/// The control table: a DynamoDB global table with multi-Region strong consistency, whose conditional writes are linearizable.
/// Everything is read with <c>ConsistentRead</c>: an isolated replica still answers eventual reads.
/// </summary>
public sealed class ControlStore(IAmazonDynamoDB dynamoDb, string table, TimeSpan callTimeout)
{
    /// <summary>The partition of the ballots: one an observer, for all services.</summary>
    public const string ObserversPartition = "_observers";

    private const string Partition = "service";
    private const string Sort = "record";
    private const string Body = "body";
    private const string RegisterRecord = "register";
    private const string CommandRecord = "command";
    private const string BallotPrefix = "ballot#";

    /// <summary>What the table holds of a service, ballots included: two queries, side by side.</summary>
    public async Task<ControlView> ReadAsync(string service, CancellationToken cancellationToken)
    {
        var ballots = QueryAsync(ObserversPartition, cancellationToken);
        var records = await QueryAsync(service, cancellationToken);
        return new ControlView(
            Parse(records.FirstOrDefault(record => record[Sort].S == RegisterRecord), ControlJson.Default.Register),
            Parse(records.FirstOrDefault(record => record[Sort].S == CommandRecord), ControlJson.Default.Command),
            [.. (await ballots).Select(record => Parse(record, ControlJson.Default.Ballot)).OfType<Ballot>()]);
    }

    /// <summary>The ballot that an observer stored last, or null.</summary>
    public async Task<Ballot?> ReadBallotAsync(string observer, CancellationToken cancellationToken)
    {
        using var deadline = Deadline(cancellationToken);
        var response = await dynamoDb.GetItemAsync(new GetItemRequest(table, Key(ObserversPartition, BallotPrefix + observer), consistentRead: true), deadline.Token);
        return response.IsItemSet ? Parse(response.Item, ControlJson.Default.Ballot) : null;
    }

    /// <summary>Stores a ballot, unless one of its slot or a later one is there: another tick was faster.</summary>
    public Task<ConditionalWrite> WriteBallotAsync(Ballot ballot, CancellationToken cancellationToken) =>
        PutAsync(
            new PutItemRequest(table, Item(ObserversPartition, BallotPrefix + ballot.Observer, ballot, ControlJson.Default.Ballot, ("slot", ballot.Slot)))
            {
                ConditionExpression = "attribute_not_exists(slot) OR slot < :slot",
                ExpressionAttributeValues = new() { [":slot"] = Number(ballot.Slot) },
            },
            cancellationToken);

    /// <summary>Stores a register in place of the one with <paramref name="expectedRev"/>, or where there is none if that is null.</summary>
    public Task<ConditionalWrite> WriteRegisterAsync(Register register, long? expectedRev, CancellationToken cancellationToken)
    {
        var request = new PutItemRequest(table, Item(register.Service, RegisterRecord, register, ControlJson.Default.Register, ("rev", register.Rev)));
        if (expectedRev is { } rev)
        {
            request.ConditionExpression = "rev = :rev";
            request.ExpressionAttributeValues = new() { [":rev"] = Number(rev) };
        }
        else
        {
            request.ConditionExpression = "attribute_not_exists(service)";
        }

        return PutAsync(request, cancellationToken);
    }

    /// <summary>Leaves an order for the next tick; it replaces an older one.</summary>
    public async Task WriteCommandAsync(string service, Command command, CancellationToken cancellationToken)
    {
        using var deadline = Deadline(cancellationToken);
        await dynamoDb.PutItemAsync(new PutItemRequest(table, Item(service, CommandRecord, command, ControlJson.Default.Command)), deadline.Token);
    }

    private async Task<List<Dictionary<string, AttributeValue>>> QueryAsync(string partition, CancellationToken cancellationToken)
    {
        using var deadline = Deadline(cancellationToken);
        var response = await dynamoDb.QueryAsync(
            new QueryRequest(table)
            {
                ConsistentRead = true,
                KeyConditionExpression = "service = :service",
                ExpressionAttributeValues = new() { [":service"] = new(partition) },
            },
            deadline.Token);
        return response.Items ?? [];
    }

    private async Task<ConditionalWrite> PutAsync(PutItemRequest request, CancellationToken cancellationToken)
    {
        try
        {
            using var deadline = Deadline(cancellationToken);
            await dynamoDb.PutItemAsync(request, deadline.Token);
            return ConditionalWrite.Written;
        }
        catch (ConditionalCheckFailedException)
        {
            return ConditionalWrite.Refused;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return ConditionalWrite.Unknown;
        }
    }

    private static Dictionary<string, AttributeValue> Key(string service, string record) => new() { [Partition] = new(service), [Sort] = new(record) };

    private static Dictionary<string, AttributeValue> Item<T>(
        string service, string record, T body, JsonTypeInfo<T> type, params ReadOnlySpan<(string Name, long Value)> numbers)
    {
        var item = Key(service, record);
        item[Body] = new(JsonSerializer.Serialize(body, type));
        foreach (var (name, value) in numbers)
        {
            item[name] = Number(value);
        }

        return item;
    }

    private static T? Parse<T>(Dictionary<string, AttributeValue>? item, JsonTypeInfo<T> type)
        where T : class => item is null ? null : JsonSerializer.Deserialize(item[Body].S, type);

    private static AttributeValue Number(long value) => new() { N = value.ToString(CultureInfo.InvariantCulture) };

    private CancellationTokenSource Deadline(CancellationToken cancellationToken)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        source.CancelAfter(callTimeout);
        return source;
    }
}
