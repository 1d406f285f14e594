using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Failover.ControlPlane.Compares;

/// <summary>The comparisons whose home is one region, in its journal; and what they found.</summary>
public sealed class CompareStore(IAmazonDynamoDB dynamoDb, string table, TimeSpan callTimeout)
{
    /// <summary>How many of the newest are looked at for what is to be done: one that waits behind so many was asked for in vain.</summary>
    public const int NewestMax = 20;

    private const string Comparisons = "compare";
    private const string ResultPrefix = "compare-result#";
    private const string Body = "body";
    private const string Phase = "phase";
    private const string Count = "n";

    /// <summary>Adds one.</summary>
    public Task AddAsync(Comparison comparison, CancellationToken cancellationToken) => PutAsync(comparison, condition: null, cancellationToken);

    /// <summary>Replaces one, if it is still in <paramref name="phase"/>; false if it is not.</summary>
    public async Task<bool> ChangeAsync(Comparison comparison, ComparePhase phase, CancellationToken cancellationToken)
    {
        try
        {
            await PutAsync(comparison, phase, cancellationToken);
            return true;
        }
        catch (ConditionalCheckFailedException)
        {
            return false;
        }
    }

    /// <summary>One of them, strongly read; null if there is none of that id.</summary>
    public async Task<Comparison?> ReadAsync(string id, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        var response = await dynamoDb.GetItemAsync(new GetItemRequest(table, new() { ["kind"] = new(Comparisons), ["id"] = new(id) }, consistentRead: true), deadline.Token);
        return response.IsItemSet ? Read(response.Item) : null;
    }

    /// <summary>The newest of them, newest first.</summary>
    public async Task<IReadOnlyList<Comparison>> ReadNewestAsync(CancellationToken cancellationToken, int limit = NewestMax)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        var page = await dynamoDb.QueryAsync(
            new QueryRequest(table)
            {
                KeyConditionExpression = "kind = :kind",
                ExpressionAttributeValues = new() { [":kind"] = new(Comparisons) },
                ScanIndexForward = false,
                Limit = limit,
            },
            deadline.Token);
        return [.. (page.Items ?? []).Select(Read)];
    }

    /// <summary>Ends one, unless it has ended: nothing more is read for it than what is under way. False if it has, or there is none.</summary>
    public async Task<bool> CancelAsync(string id, DateTimeOffset now, CancellationToken cancellationToken)
    {
        while (await ReadAsync(id, cancellationToken) is { Outcome: null } comparison)
        {
            if (await ChangeAsync(comparison with { Phase = ComparePhase.Done, Outcome = CompareOutcome.Cancelled, EndedAt = now }, comparison.Phase, cancellationToken))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Keeps all that a part of a comparison has found so far: it finds more, never less, and who comes late with less changes nothing.</summary>
    public async Task PutDifferencesAsync(string id, string part, IReadOnlyList<Difference> differences, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var row = Row(ResultPrefix + id, part, JsonSerializer.Serialize(differences, ControlJson.Default.IReadOnlyListDifference), now);
        row[Count] = new() { N = differences.Count.ToString(CultureInfo.InvariantCulture) };
        try
        {
            using var deadline = cancellationToken.Within(callTimeout);
            await dynamoDb.PutItemAsync(
                new PutItemRequest(table, row) { ConditionExpression = "attribute_not_exists(n) OR n <= :n", ExpressionAttributeValues = new() { [":n"] = row[Count] } }, deadline.Token);
        }
        catch (ConditionalCheckFailedException)
        {
        }
    }

    /// <summary>All that a comparison found, a part at a time.</summary>
    public async IAsyncEnumerable<Difference> ReadDifferencesAsync(string id, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new QueryRequest(table)
        {
            KeyConditionExpression = "kind = :kind",
            ExpressionAttributeValues = new() { [":kind"] = new(ResultPrefix + id) },
            ConsistentRead = true,
        };
        do
        {
            using var deadline = cancellationToken.Within(callTimeout);
            var page = await dynamoDb.QueryAsync(request, deadline.Token);
            foreach (var difference in (page.Items ?? []).SelectMany(row => JsonSerializer.Deserialize(row[Body].S, ControlJson.Default.IReadOnlyListDifference)!))
            {
                yield return difference;
            }

            request.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (request.ExclusiveStartKey is { Count: > 0 });
    }

    private async Task PutAsync(Comparison comparison, ComparePhase? condition, CancellationToken cancellationToken)
    {
        var row = Row(Comparisons, comparison.Id, JsonSerializer.Serialize(comparison, ControlJson.Default.Comparison), comparison.At);
        row[Phase] = new(comparison.Phase.ToString());
        var request = new PutItemRequest(table, row);
        if (condition is { } phase)
        {
            request.ConditionExpression = "phase = :phase";
            request.ExpressionAttributeValues = new() { [":phase"] = new(phase.ToString()) };
        }

        using var deadline = cancellationToken.Within(callTimeout);
        await dynamoDb.PutItemAsync(request, deadline.Token);
    }

    private static Comparison Read(Dictionary<string, AttributeValue> row) => JsonSerializer.Deserialize(row[Body].S, ControlJson.Default.Comparison)!;

    private static Dictionary<string, AttributeValue> Row(string kind, string id, string body, DateTimeOffset at) => new()
    {
        ["kind"] = new(kind),
        ["id"] = new(id),
        [Body] = new(body),
        ["ttl"] = new() { N = (at + JournalStore.Lifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) },
    };
}
