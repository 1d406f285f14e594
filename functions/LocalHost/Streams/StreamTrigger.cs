using System.Text.Json;
using System.Text.Json.Nodes;
using Failover.LocalHost.Engines;

namespace Failover.LocalHost.Streams;

/// <summary>
/// Lambda's event source mapping between a table's stream and a function that reports batch item failures: batches in order, one at a time;
/// after a failure on from the checkpoint, again and again: nothing is given up, and nothing passes a record that fails.
/// </summary>
/// <param name="invoke">Gives the function one event; null where it failed.</param>
internal sealed class StreamTrigger(TableStream stream, string region, Func<byte[], Task<byte[]?>> invoke, Func<bool> isDown, TimeProvider time)
{
    /// <summary>Lambda's own default for streams.</summary>
    private const int BatchMax = 100;

    /// <summary>Lambda asks each shard four times a second.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    private static readonly JsonSerializerOptions Deep = new() { MaxDepth = Engine.DeepJson.MaxDepth };

    private readonly Queue<JsonObject> _pending = new();

    /// <summary>Runs until it is cancelled. What fails is told and taken again: nothing is dropped that was not handed over.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (!isDown() && await FillAsync(cancellationToken) > 0 && await HandOverAsync())
                {
                    continue;
                }
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                await Console.Error.WriteLineAsync($"{region}: the stream's trigger failed, and goes on: {error.Message}");
            }

            await Task.Delay(PollInterval, time, cancellationToken);
        }
    }

    /// <summary>Gives the function the next batch; false if not all of it is done.</summary>
    private async Task<bool> HandOverAsync()
    {
        List<JsonObject> batch = [.. _pending.Take(BatchMax)];
        var done = Done(batch, await invoke(Event(batch)));
        for (var i = 0; i < done; i++)
        {
            _pending.Dequeue();
        }

        return done == batch.Count;
    }

    private async Task<int> FillAsync(CancellationToken cancellationToken)
    {
        if (_pending.Count == 0)
        {
            foreach (var record in await stream.ReadAsync(cancellationToken))
            {
                record["awsRegion"] = region;
                record["eventSourceARN"] = stream.Arn;
                _pending.Enqueue(record);
            }
        }

        return _pending.Count;
    }

    private static byte[] Event(IReadOnlyList<JsonObject> batch) =>
        JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["Records"] = new JsonArray([.. batch.Select(record => record.DeepClone())]) }, Deep);

    /// <summary>How many records of the batch are done: those before the lowest that is reported as failed; none if there is no answer.</summary>
    private static int Done(List<JsonObject> batch, byte[]? answer)
    {
        if (answer is null)
        {
            return 0;
        }

        var failed = (JsonNode.Parse(answer)?["batchItemFailures"] as JsonArray ?? []).Select(failure => (string?)failure?["itemIdentifier"]).ToHashSet();
        return batch.FindIndex(record => failed.Contains((string?)record["dynamodb"]!["SequenceNumber"])) switch
        {
            >= 0 and var first => first,
            // An identifier that is none of the batch's fails the whole batch.
            _ => failed.Count > 0 ? 0 : batch.Count,
        };
    }
}
