using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Failover.ControlPlane;

/// <summary>A move that was published, as the journals of the two replicas that it is about have it.</summary>
/// <param name="From">The endpoint that was left, and the replica that it uses.</param>
/// <param name="LandedAt">When the world's DNS was first seen to show it.</param>
public sealed record JournaledMove(string Service, long Epoch, MoveEnd From, MoveEnd To, DateTimeOffset LandedAt);

/// <summary>One end of a move.</summary>
public sealed record MoveEnd(string Endpoint, string Replica);

/// <summary>What a move cost, counted by the audit of the replica that was moved to.</summary>
/// <param name="MissingAtMove">Writes of the replica that was left, made before the move was published, that had not arrived when it did. Recovery point: what clients could not read then.</param>
/// <param name="StillMissing">Of these, what has not arrived yet, or never will: a write that was beaten before it could arrive is lost.</param>
/// <param name="IsKnown">Whether the replica that was left could be asked when this was counted; if not, there may be more.</param>
/// <param name="SettledAt">Since when nothing of it is under way any more; null: something is, or nobody knows.</param>
/// <param name="IsFinal">Whether what had arrived by then has been counted too: then what is missing does not come by itself.</param>
public sealed record MoveLoss(
    string Service, long Epoch, DateTimeOffset LandedAt, long MissingAtMove, long StillMissing, bool IsKnown, DateTimeOffset? SettledAt, bool IsFinal, DateTimeOffset At);

/// <summary>A write of the replica that was left.</summary>
/// <param name="IsStillMissing">Whether it has not arrived yet.</param>
public sealed record LostKey(string Key, string Version, bool IsStillMissing);

/// <summary>Moves, and what each cost, in the journal of one region.</summary>
public sealed class MoveStore(IAmazonDynamoDB dynamoDb, string table, TimeSpan callTimeout)
{
    private const string Moves = "move";
    private const string Losses = "move-loss";
    private const string KeysPrefix = "move-keys#";
    private const string Body = "body";

    /// <summary>A version, and what JSON puts around it.</summary>
    private const int BytesAKey = 150;

    /// <summary>Adds a move, once: it is done each tick, so that no crash can leave it out.</summary>
    public async Task AddAsync(JournaledMove move, CancellationToken cancellationToken)
    {
        try
        {
            await PutAsync(Moves, IdOf(move.LandedAt, move.Service), JsonSerializer.Serialize(move, ControlJson.Default.JournaledMove), move.LandedAt, "attribute_not_exists(id)", cancellationToken);
        }
        catch (ConditionalCheckFailedException)
        {
        }
    }

    /// <summary>The newest moves, newest first.</summary>
    public async Task<IReadOnlyList<JournaledMove>> ReadNewestAsync(int limit, CancellationToken cancellationToken) =>
        [.. (await NewestAsync(Moves, limit, cancellationToken)).Select(row => JsonSerializer.Deserialize(row[Body].S, ControlJson.Default.JournaledMove)!)];

    /// <summary>Says what a move cost, in place of what was said before.</summary>
    public async Task WriteLossAsync(MoveLoss loss, IReadOnlyList<LostKey> keys, CancellationToken cancellationToken)
    {
        // The keys first: what can be seen is whole.
        var kind = KeysPrefix + IdOf(loss.LandedAt, loss.Service);
        foreach (var (part, number) in Chunks.BySize(keys, key => (key.Key.Length * Chunks.BytesACharacterMax) + BytesAKey).Select((part, number) => (part, number)))
        {
            await PutAsync(kind, number.ToString("D6", CultureInfo.InvariantCulture), JsonSerializer.Serialize(part, ControlJson.Default.IReadOnlyListLostKey), loss.LandedAt, condition: null, cancellationToken);
        }

        await PutAsync(Losses, IdOf(loss.LandedAt, loss.Service), JsonSerializer.Serialize(loss, ControlJson.Default.MoveLoss), loss.LandedAt, condition: null, cancellationToken);
    }

    /// <summary>What the newest moves cost, newest first.</summary>
    public async Task<IReadOnlyList<MoveLoss>> ReadLossesAsync(int limit, CancellationToken cancellationToken) =>
        [.. (await NewestAsync(Losses, limit, cancellationToken)).Select(row => JsonSerializer.Deserialize(row[Body].S, ControlJson.Default.MoveLoss)!)];

    /// <summary>The keys that a move cost: as many as it counts.</summary>
    public async IAsyncEnumerable<LostKey> ReadKeysAsync(MoveLoss loss, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new QueryRequest(table)
        {
            KeyConditionExpression = "kind = :kind",
            ExpressionAttributeValues = new() { [":kind"] = new(KeysPrefix + IdOf(loss.LandedAt, loss.Service)) },
            ConsistentRead = true,
        };
        var left = loss.MissingAtMove;
        do
        {
            using var deadline = cancellationToken.Within(callTimeout);
            var page = await dynamoDb.QueryAsync(request, deadline.Token);
            foreach (var key in (page.Items ?? []).SelectMany(row => JsonSerializer.Deserialize(row[Body].S, ControlJson.Default.IReadOnlyListLostKey)!))
            {
                if (left-- > 0)
                {
                    yield return key;
                }
            }

            request.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (request.ExclusiveStartKey is { Count: > 0 });
    }

    private async Task PutAsync(string kind, string id, string body, DateTimeOffset at, string? condition, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        await dynamoDb.PutItemAsync(
            new PutItemRequest(table, new()
            {
                ["kind"] = new(kind),
                ["id"] = new(id),
                [Body] = new(body),
                ["ttl"] = new() { N = (at + JournalStore.Lifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) },
            })
            {
                ConditionExpression = condition,
            },
            deadline.Token);
    }

    private async Task<List<Dictionary<string, AttributeValue>>> NewestAsync(string kind, int limit, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        var page = await dynamoDb.QueryAsync(
            new QueryRequest(table)
            {
                KeyConditionExpression = "kind = :kind",
                ExpressionAttributeValues = new() { [":kind"] = new(kind) },
                ScanIndexForward = false,
                Limit = limit,
            },
            deadline.Token);
        return page.Items ?? [];
    }

    /// <summary>Sorts by time.</summary>
    private static string IdOf(DateTimeOffset landedAt, string service) => string.Create(CultureInfo.InvariantCulture, $"{landedAt.ToUnixTimeMilliseconds():x12}#{service}");
}
