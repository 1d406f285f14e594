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

    /// <summary>How many orders may wait.</summary>
    public const int OrdersMax = 16;

    /// <summary>How many may wait with those that stop something: they find room where the others find none.</summary>
    public const int StoppingOrdersMax = 32;

    private const int AppendAttemptsMax = 8;
    private const int ConflictAttemptsMax = 4;
    private const string Partition = "service";
    private const string Sort = "record";

    /// <summary>The attribute that holds a register carries its form: a version that does not know the form reads none, only votes, and so never writes one without the members that it does not know.</summary>
    private const string RegisterBody = "register_v2";
    private const string BallotBody = "ballot_v2";
    private const string RegisterRecord = "register";
    private const string OrdersRecord = "orders";
    private const string OrdersBody = "list";
    private const string Version = "version";
    private const string BallotPrefix = "ballot#";
    private const string Token = "token";

    /// <summary>What the table holds of a service, ballots included: two queries, side by side.</summary>
    public async Task<ControlView> ReadAsync(string service, CancellationToken cancellationToken)
    {
        var ballots = ReadBallotsAsync(cancellationToken);
        var view = await ReadServiceAsync(service, cancellationToken);
        return view with { Ballots = await ballots };
    }

    /// <summary>What the table holds of a service alone: no ballots.</summary>
    public async Task<ControlView> ReadServiceAsync(string service, CancellationToken cancellationToken)
    {
        var records = await QueryAsync(service, cancellationToken);
        var register = records.FirstOrDefault(record => record[Sort].S == RegisterRecord);
        var orders = records.FirstOrDefault(record => record[Sort].S == OrdersRecord);
        return new ControlView(
            register is null ? null : RegisterOf(register),
            [.. ListOf(orders).Select(order => OrderOf(order.S)).OfType<Command>()],
            []);
    }

    /// <summary>The ballots of all observers, for all services.</summary>
    public async Task<IReadOnlyList<Ballot>> ReadBallotsAsync(CancellationToken cancellationToken) =>
        [.. (await QueryAsync(ObserversPartition, cancellationToken)).Select(BallotOf).OfType<Ballot>()];

    /// <summary>The register of a service; null where there is none.</summary>
    public async Task<Register?> ReadRegisterAsync(string service, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        var response = await dynamoDb.GetItemAsync(new GetItemRequest(table, Key(service, RegisterRecord), consistentRead: true), deadline.Token);
        return response.IsItemSet ? RegisterOf(response.Item) : null;
    }

    /// <summary>An observer's ballot with the token that replaces it; the ballot is null where it cannot be read: another version wrote it.</summary>
    public async Task<(string? Token, Ballot? Ballot)> ReadBallotAsync(string observer, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        var response = await dynamoDb.GetItemAsync(new GetItemRequest(table, Key(ObserversPartition, BallotPrefix + observer), consistentRead: true), deadline.Token);
        return response.IsItemSet ? (response.Item.GetValueOrDefault(Token)?.S, BallotOf(response.Item)) : (null, null);
    }

    /// <summary>Stores a ballot in place of exactly the one that it was made from: a tick in between would lose its counts.</summary>
    /// <param name="previousToken">That one's token; null if there was none.</param>
    public Task<ConditionalWrite> WriteBallotAsync(Ballot ballot, string? previousToken, CancellationToken cancellationToken)
    {
        var item = Item(ObserversPartition, BallotPrefix + ballot.Observer, BallotBody, ballot, ControlJson.Default.Ballot);
        item[Token] = new(ballot.Token);
        var request = new PutItemRequest(table, item) { ExpressionAttributeNames = new() { ["#token"] = Token } };
        if (previousToken is { } token)
        {
            request.ConditionExpression = "#token = :token";
            request.ExpressionAttributeValues = new() { [":token"] = new(token) };
        }
        else
        {
            request.ConditionExpression = "attribute_not_exists(#token)";
        }

        return PutAsync(request, cancellationToken);
    }

    /// <summary>Stores a register in place of the one with <paramref name="expectedRev"/>, or where there is none if that is null.</summary>
    public Task<ConditionalWrite> WriteRegisterAsync(Register register, long? expectedRev, CancellationToken cancellationToken)
    {
        var request = new PutItemRequest(table, Item(register.Service, RegisterRecord, RegisterBody, register, ControlJson.Default.Register, ("rev", register.Rev)));
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

    /// <summary>
    /// Appends an order to the list of a service. The list is replaced only as it was read, so that none is lost to another's; an order that is in the list, or answered, is not appended again,
    /// whichever of its writes arrives.
    /// </summary>
    /// <remarks>What is answered leaves the list here, and nowhere else.</remarks>
    /// <exception cref="ArgumentException">The order is in itself a mistake (<see cref="Command.Mistake"/>).</exception>
    /// <exception cref="AmazonDynamoDBException">The table cannot be read; nothing was written.</exception>
    public async Task<OrderWrite> AppendOrderAsync(string service, Command order, CancellationToken cancellationToken)
    {
        if (order.Mistake() is { } mistake)
        {
            throw new ArgumentException($"The order is not given: {mistake}.", nameof(order));
        }

        // The version that an unacknowledged write expects. While the list is still at that version, the write may yet arrive.
        (string? Version, bool IsOpen) written = (null, false);
        for (var attempt = 1; ; attempt++)
        {
            List<Dictionary<string, AttributeValue>> records;
            try
            {
                records = await QueryAsync(service, cancellationToken);
            }
            catch (Exception) when (written.IsOpen && !cancellationToken.IsCancellationRequested)
            {
                return OrderWrite.Unknown;
            }

            var register = records.FirstOrDefault(record => record[Sort].S == RegisterRecord) is { } item ? RegisterOf(item) : null;
            var stored = records.FirstOrDefault(record => record[Sort].S == OrdersRecord);
            var version = stored?[Version].N;

            // What has no id is no order, and would fill the list for ever.
            List<AttributeValue> waiting = [.. ListOf(stored).Where(text => OrderOf(text.S) is { } other && register?.AnswerTo(other.Id) is null)];
            if (register?.AnswerTo(order.Id) is not null || waiting.Exists(text => OrderOf(text.S)?.Id == order.Id))
            {
                return OrderWrite.Written;
            }

            // The list has gone on without it: the write has failed for good.
            written = written.Version == version ? written : (null, false);
            if (attempt > AppendAttemptsMax)
            {
                return written.IsOpen ? OrderWrite.Unknown : OrderWrite.Contended;
            }

            if (waiting.Count >= (order.IsStopping ? StoppingOrdersMax : OrdersMax))
            {
                return written.IsOpen ? OrderWrite.Unknown : OrderWrite.Full;
            }

            var put = OrdersPut(service, [.. waiting, new AttributeValue(JsonSerializer.Serialize(order, ControlJson.Default.Command))], version);
            var write = await PutAsync(put, cancellationToken);
            if (write == ConditionalWrite.Written)
            {
                return OrderWrite.Written;
            }

            // Refused may be the second try of a write whose first stands: the next reading tells.
            written = (version, true);
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(5, 20 << attempt)), TimeProvider.System, cancellationToken);
        }
    }

    private PutItemRequest OrdersPut(string service, List<AttributeValue> orders, string? expectedVersion)
    {
        var item = Key(service, OrdersRecord);
        item[OrdersBody] = new() { L = orders };
        item[Version] = Number(expectedVersion is null ? 1 : long.Parse(expectedVersion, CultureInfo.InvariantCulture) + 1);
        return new PutItemRequest(table, item)
        {
            ConditionExpression = expectedVersion is null ? "attribute_not_exists(#version)" : "#version = :version",
            ExpressionAttributeNames = new() { ["#version"] = Version },
            ExpressionAttributeValues = expectedVersion is null ? null : new() { [":version"] = new() { N = expectedVersion } },
        };
    }

    private async Task<List<Dictionary<string, AttributeValue>>> QueryAsync(string partition, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
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
            using var deadline = cancellationToken.Within(callTimeout);
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await dynamoDb.PutItemAsync(request, deadline.Token);
                    return ConditionalWrite.Written;
                }
                catch (ReplicatedWriteConflictException) when (attempt < ConflictAttemptsMax)
                {
                    // Somebody writes this record from another region at this moment; nothing of ours was written, and the condition is judged anew.
                    await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(10, 40 << attempt)), TimeProvider.System, deadline.Token);
                }
            }
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
        string service, string record, string attribute, T body, JsonTypeInfo<T> type, params ReadOnlySpan<(string Name, long Value)> numbers)
    {
        var item = Key(service, record);
        item[attribute] = new(JsonSerializer.Serialize(body, type));
        foreach (var (name, value) in numbers)
        {
            item[name] = Number(value);
        }

        return item;
    }

    /// <exception cref="InvalidOperationException">It is in a form that this version does not know.</exception>
    private static Register RegisterOf(Dictionary<string, AttributeValue> item) => item.TryGetValue(RegisterBody, out var body)
        ? JsonSerializer.Deserialize(body.S, ControlJson.Default.Register)!
        : throw new InvalidOperationException($"The register of {item[Partition].S} has no attribute {RegisterBody}: another version of this software wrote it. Use that version, or a newer one.");

    /// <summary>A ballot that another version wrote in another form is no vote; it must not stop those who can be read.</summary>
    private static Ballot? BallotOf(Dictionary<string, AttributeValue> item)
    {
        try
        {
            return item.TryGetValue(BallotBody, out var body) ? JsonSerializer.Deserialize(body.S, ControlJson.Default.Ballot) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static List<AttributeValue> ListOf(Dictionary<string, AttributeValue>? item) => item?.GetValueOrDefault(OrdersBody)?.L ?? [];

    /// <summary>An order of a kind that this version does not know keeps its id, so that it can be answered; what has no id is none.</summary>
    private static Command? OrderOf(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, ControlJson.Default.Command) is { Id.Length: > 0 and <= Command.IdMax } order ? order : null;
        }
        catch (JsonException)
        {
            return IdOf(text) is { Length: > 0 and <= Command.IdMax } id ? new Command { Id = id, Kind = CommandKind.Unknown, By = "?", At = default } : null;
        }
    }

    private static string? IdOf(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String ? id.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static AttributeValue Number(long value) => new() { N = value.ToString(CultureInfo.InvariantCulture) };
}
