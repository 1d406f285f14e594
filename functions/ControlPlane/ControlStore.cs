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

    /// <summary>How far operators' clocks may differ.</summary>
    public static readonly TimeSpan ClockDifferenceMax = TimeSpan.FromMinutes(1);

    private const int ConflictAttemptsMax = 4;
    private const string Partition = "service";
    private const string Sort = "record";
    private const string Body = "body";

    /// <summary>The attribute that holds a register carries its form: a version that does not know the form reads none, only votes, and so never writes one without the members that it does not know.</summary>
    private const string RegisterBody = "register_v2";
    private const string BallotBody = "ballot_v2";
    private const string RegisterRecord = "register";
    private const string CommandRecord = "command";
    private const string BallotPrefix = "ballot#";
    private const string Token = "token";
    private const string CommandId = "id";
    private const string CommandGiven = "given";

    /// <summary>What the table holds of a service, ballots included: two queries, side by side.</summary>
    public async Task<ControlView> ReadAsync(string service, CancellationToken cancellationToken)
    {
        var ballots = QueryAsync(ObserversPartition, cancellationToken);
        var records = await QueryAsync(service, cancellationToken);
        var register = records.FirstOrDefault(record => record[Sort].S == RegisterRecord);
        var command = records.FirstOrDefault(record => record[Sort].S == CommandRecord);
        return new ControlView(
            register is null ? null : RegisterOf(register),
            command is null ? null : CommandOf(command),
            [.. (await ballots).Select(BallotOf).OfType<Ballot>()]);
    }

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
    /// Leaves an order for the next tick. It replaces an older one, and never a newer: an order that was delayed on its way is not given again.
    /// One from more than <see cref="ClockDifferenceMax"/> ahead is no newer order but a wrong clock, and shuts nobody out.
    /// </summary>
    public Task<ConditionalWrite> WriteCommandAsync(string service, Command command, CancellationToken cancellationToken)
    {
        var given = command.At.ToUnixTimeMilliseconds();
        var item = Item(service, CommandRecord, Body, command, ControlJson.Default.Command, (CommandGiven, given));
        item[CommandId] = new(command.Id);
        return PutAsync(
            new PutItemRequest(table, item)
            {
                // Its own id: the SDK's second try after a lost answer.
                ConditionExpression = "attribute_not_exists(service) OR id = :id OR given < :given OR given > :horizon",
                ExpressionAttributeValues = new()
                {
                    [":id"] = new(command.Id),
                    [":given"] = Number(given),
                    [":horizon"] = Number(given + (long)ClockDifferenceMax.TotalMilliseconds),
                },
            },
            cancellationToken);
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

    /// <summary>A command of a kind that this version does not know is refused, by its id, like any other bad order.</summary>
    private static Command CommandOf(Dictionary<string, AttributeValue> item)
    {
        try
        {
            return JsonSerializer.Deserialize(item[Body].S, ControlJson.Default.Command)!;
        }
        catch (JsonException)
        {
            return new Command { Id = item[CommandId].S, Kind = CommandKind.Unknown, By = "?", At = default };
        }
    }

    private static AttributeValue Number(long value) => new() { N = value.ToString(CultureInfo.InvariantCulture) };
}
