using System.Text.Json.Nodes;
using Failover.LocalHost.Engines;

namespace Failover.LocalHost.Streams;

/// <summary>Reads a table's stream in the engine from its beginning on. The engine has one shard and trims nothing.</summary>
internal sealed class TableStream(Engine engine, string table)
{
    /// <summary>GetRecords' limit.</summary>
    private const int PageMax = 1000;

    private string? _iterator;

    /// <summary>The stream's address; null until it has been read.</summary>
    public string? Arn { get; private set; }

    /// <summary>The next records; none at the end. Those that change nothing are passed over: DynamoDB's streams do not carry them, and the engine's do.</summary>
    public async Task<IReadOnlyList<JsonObject>> ReadAsync(CancellationToken cancellationToken)
    {
        _iterator ??= await FirstIteratorAsync(cancellationToken);
        while (_iterator is not null)
        {
            var page = await CallAsync("GetRecords", new JsonObject { ["ShardIterator"] = _iterator, ["Limit"] = PageMax }, cancellationToken);
            _iterator = (string?)page["NextShardIterator"];
            var records = page["Records"]!.AsArray();
            List<JsonObject> changes = [.. records.Select(record => record!.AsObject()).Where(IsChange)];
            if (changes.Count > 0 || records.Count == 0)
            {
                return changes;
            }
        }

        return [];
    }

    private static bool IsChange(JsonObject record) =>
        record["dynamodb"] is var data && (data!["NewImage"] is not { } image || data["OldImage"] is not { } old || !JsonNode.DeepEquals(image, old));

    private async Task<string?> FirstIteratorAsync(CancellationToken cancellationToken)
    {
        var streams = await CallAsync("ListStreams", new JsonObject { ["TableName"] = table }, cancellationToken);
        if ((string?)streams["Streams"]?.AsArray().FirstOrDefault()?["StreamArn"] is not { } arn)
        {
            return null;
        }

        Arn = arn;
        var stream = await CallAsync("DescribeStream", new JsonObject { ["StreamArn"] = arn }, cancellationToken);
        var shard = (string?)stream["StreamDescription"]?["Shards"]?.AsArray().FirstOrDefault()?["ShardId"];
        return shard is null ? null : (string?)(await CallAsync(
            "GetShardIterator", new JsonObject { ["StreamArn"] = arn, ["ShardId"] = shard, ["ShardIteratorType"] = "TRIM_HORIZON" }, cancellationToken))["ShardIterator"];
    }

    private Task<JsonObject> CallAsync(string operation, JsonObject request, CancellationToken cancellationToken) =>
        engine.CallAsync("DynamoDBStreams_20120810." + operation, request, cancellationToken);
}
