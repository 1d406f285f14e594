using System.Globalization;
using System.Security.Cryptography;
using System.Text;
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
    private const string Findings = "finding";
    private const string Holding = "finding-holding";
    private const string PartPrefix = "finding-part#";
    private const string Body = "body";
    private const string Parts = "parts";
    private const string PartsKind = "partsKind";
    private const string Closed = "closed";
    private const string WrittenBy = "by";

    /// <summary>DynamoDB's limit on an item is 400 KB; a finding has two items in it, so a longer body lies in several. Its JSON is ASCII: a character is a byte.</summary>
    private const int PartLengthMax = 350_000;

    /// <summary>A mark comes before its finding; one whose finding has not come for so long was put in vain.</summary>
    private static readonly TimeSpan UnfoundFor = TimeSpan.FromHours(1);

    private const int ReadAtOnce = 16;

    /// <summary>Time to live deletes in no order: a part must not go before the head that needs it.</summary>
    private static readonly TimeSpan PartsOutlive = TimeSpan.FromDays(7);

    /// <summary>Adds a line. Its key is observer and tick, so that writing it twice makes one.</summary>
    public async Task WriteAsync(JournalEntry entry, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        await dynamoDb.PutItemAsync(
            new PutItemRequest(table, Item(
                DecisionPrefix + entry.Service,
                string.Create(CultureInfo.InvariantCulture, $"{entry.Start.ToUnixTimeMilliseconds():D15}#{entry.Observer}"),
                JsonSerializer.Serialize(entry, ControlJson.Default.JournalEntry),
                entry.At)),
            deadline.Token);
    }

    /// <summary>The newest lines of a service, newest last.</summary>
    public async Task<IReadOnlyList<JournalEntry>> ReadAsync(string service, int limit, CancellationToken cancellationToken) =>
        [.. (await NewestAsync(DecisionPrefix + service, limit, cancellationToken))
            .Select(item => JsonSerializer.Deserialize(item[Body].S, ControlJson.Default.JournalEntry)!).Reverse()];

    /// <summary>Adds a finding, once: true if this call did, also where its answer was lost and the SDK tried again.</summary>
    public async Task<bool> AddFindingAsync(Finding finding, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.Serialize(finding, ControlJson.Default.Finding);
        string[] parts = [.. body.Chunk(PartLengthMax).Select(part => new string(part))];

        // The head comes last: a finding that can be seen is whole. Parts are found by their content, so that another version of the same finding changes none of them.
        var partsKind = PartPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(body)));
        for (var i = 1; i < parts.Length; i++)
        {
            using var deadline = cancellationToken.Within(callTimeout);
            await dynamoDb.PutItemAsync(new PutItemRequest(table, Item(partsKind, PartId(i), parts[i], finding.At + PartsOutlive)), deadline.Token);
        }

        // Those that stand against moving back are marked, so that a tick asks for one row to know that there is none. The mark is there as long as the open finding, or longer.
        if (Finding.Holds(finding.Kind))
        {
            using var deadline = cancellationToken.Within(callTimeout);
            await dynamoDb.PutItemAsync(new PutItemRequest(table, Item(Holding, finding.Id, "", finding.At)), deadline.Token);
        }

        var me = Guid.NewGuid().ToString();
        var head = Item(Findings, finding.Id, parts[0], finding.At);
        head[Parts] = new() { N = parts.Length.ToString(CultureInfo.InvariantCulture) };
        head[PartsKind] = new(partsKind);
        head[WrittenBy] = new(me);
        try
        {
            using var deadline = cancellationToken.Within(callTimeout);
            await dynamoDb.PutItemAsync(
                new PutItemRequest(table, head)
                {
                    ConditionExpression = "attribute_not_exists(id)",
                    ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
                },
                deadline.Token);
            return true;
        }
        catch (ConditionalCheckFailedException there)
        {
            if (there.Item?.ContainsKey(Closed) == true)
            {
                await UnmarkAsync(finding.Id, cancellationToken);
            }

            return there.Item?.GetValueOrDefault(WrittenBy)?.S == me;
        }
    }

    /// <summary>Closes a finding, if there is one of that id and it is open: true if this call did.</summary>
    public async Task<bool> CloseFindingAsync(FindingKind kind, string id, FindingClosure closure, CancellationToken cancellationToken)
    {
        var closed = await CloseHeadAsync(id, closure, cancellationToken);
        if (Finding.Holds(kind))
        {
            await UnmarkAsync(id, cancellationToken);
        }

        return closed;
    }

    /// <summary>Whether a finding stands against moving back, or was closed while this was asked.</summary>
    public async Task<bool> HoldsAsync(CancellationToken cancellationToken) => (await NewestAsync(Holding, 1, cancellationToken)).Count > 0;

    /// <summary>Some of the findings that stand against moving back.</summary>
    public async Task<IReadOnlyList<Finding>> ReadHoldingAsync(int limit, CancellationToken cancellationToken) =>
        [.. (await ReadMarkedAsync(limit, cancellationToken)).Select(marked => marked.Finding).OfType<Finding>()];

    /// <summary>As <see cref="ReadHoldingAsync"/>; and takes away marks that stand for no open finding any more, because whoever closed or added it was interrupted.</summary>
    public async Task<IReadOnlyList<Finding>> TidyHoldingAsync(int limit, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var marked = await ReadMarkedAsync(limit, cancellationToken);
        foreach (var (mark, finding, isClosed) in marked)
        {
            var at = DateTimeOffset.FromUnixTimeSeconds(long.Parse(mark["ttl"].N, CultureInfo.InvariantCulture)) - Lifetime;
            if (isClosed || (finding is null && now - at > UnfoundFor))
            {
                await UnmarkAsync(mark["id"].S, cancellationToken);
            }
        }

        return [.. marked.Select(one => one.Finding).OfType<Finding>()];
    }

    private async Task<List<(Dictionary<string, AttributeValue> Mark, Finding? Finding, bool IsClosed)>> ReadMarkedAsync(int limit, CancellationToken cancellationToken)
    {
        var marked = new List<(Dictionary<string, AttributeValue>, Finding?, bool)>();
        foreach (var some in (await NewestAsync(Holding, limit, cancellationToken)).Chunk(ReadAtOnce))
        {
            marked.AddRange(await Task.WhenAll(some.Select(async mark =>
            {
                using var deadline = cancellationToken.Within(callTimeout);
                var key = new Dictionary<string, AttributeValue> { ["kind"] = new(Findings), ["id"] = mark["id"] };
                var head = (await dynamoDb.GetItemAsync(new GetItemRequest(table, key, consistentRead: true), deadline.Token)).Item;
                var isClosed = head?.ContainsKey(Closed) == true;
                return (mark, head is { Count: > 0 } && !isClosed ? JsonSerializer.Deserialize(await BodyAsync(head, cancellationToken), ControlJson.Default.Finding) : null, isClosed);
            })));
        }

        return marked;
    }

    private async Task<bool> CloseHeadAsync(string id, FindingClosure closure, CancellationToken cancellationToken)
    {
        try
        {
            using var deadline = cancellationToken.Within(callTimeout);
            await dynamoDb.UpdateItemAsync(
                new UpdateItemRequest
                {
                    TableName = table,
                    Key = new() { ["kind"] = new(Findings), ["id"] = new(id) },
                    ConditionExpression = "attribute_exists(id) AND attribute_not_exists(#closed)",
                    UpdateExpression = "SET #closed = :closed",
                    ExpressionAttributeNames = new() { ["#closed"] = Closed },
                    ExpressionAttributeValues = new() { [":closed"] = new(JsonSerializer.Serialize(closure, ControlJson.Default.FindingClosure)) },
                },
                deadline.Token);
            return true;
        }
        catch (ConditionalCheckFailedException)
        {
            return false;
        }
    }

    /// <summary>The newest findings, newest last; by the time of the version that lost.</summary>
    public async Task<IReadOnlyList<Finding>> ReadFindingsAsync(int limit, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var head in Enumerable.Reverse(await NewestAsync(Findings, limit, cancellationToken)))
        {
            var finding = JsonSerializer.Deserialize(await BodyAsync(head, cancellationToken), ControlJson.Default.Finding)!;
            findings.Add(head.TryGetValue(Closed, out var closed)
                ? finding with { Closed = JsonSerializer.Deserialize(closed.S, ControlJson.Default.FindingClosure) }
                : finding);
        }

        return findings;
    }

    private async Task UnmarkAsync(string id, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        await dynamoDb.DeleteItemAsync(new DeleteItemRequest(table, new() { ["kind"] = new(Holding), ["id"] = new(id) }), deadline.Token);
    }

    private async Task<string> BodyAsync(Dictionary<string, AttributeValue> head, CancellationToken cancellationToken)
    {
        var body = head[Body].S;
        for (var i = 1; i < int.Parse(head[Parts].N, CultureInfo.InvariantCulture); i++)
        {
            using var deadline = cancellationToken.Within(callTimeout);
            var key = new Dictionary<string, AttributeValue> { ["kind"] = new(head[PartsKind].S), ["id"] = new(PartId(i)) };
            body += (await dynamoDb.GetItemAsync(new GetItemRequest(table, key, consistentRead: true), deadline.Token)).Item[Body].S;
        }

        return body;
    }

    private async Task<List<Dictionary<string, AttributeValue>>> NewestAsync(string kind, int limit, CancellationToken cancellationToken)
    {
        var items = new List<Dictionary<string, AttributeValue>>();
        var request = new QueryRequest(table)
        {
            KeyConditionExpression = "kind = :kind",
            ExpressionAttributeValues = new() { [":kind"] = new(kind) },
            ScanIndexForward = false,
        };
        do
        {
            // A page ends at 1 MB, however many were asked for.
            request.Limit = limit - items.Count;
            using var deadline = cancellationToken.Within(callTimeout);
            var page = await dynamoDb.QueryAsync(request, deadline.Token);
            items.AddRange(page.Items ?? []);
            request.ExclusiveStartKey = page.LastEvaluatedKey;
        }
        while (items.Count < limit && request.ExclusiveStartKey is { Count: > 0 });
        return items;
    }

    private static Dictionary<string, AttributeValue> Item(string kind, string id, string body, DateTimeOffset at) => new()
    {
        ["kind"] = new(kind),
        ["id"] = new(id),
        [Body] = new(body),
        ["ttl"] = new() { N = (at + Lifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) },
    };

    private static string PartId(int index) => index.ToString("D3", CultureInfo.InvariantCulture);
}
