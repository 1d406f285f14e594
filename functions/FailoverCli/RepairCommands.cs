using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Failover.ControlPlane;
using Failover.ControlPlane.Compares;
using Failover.ItemRecord;
using Failover.ItemRecord.Repair;
using Command = System.CommandLine.Command;

namespace Failover.Cli;

/// <summary><c>repair</c> and <c>backfill</c>: what writes to the items table, and so is run by a person with a person's rights, never by a function.</summary>
internal static class RepairCommands
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Command MakeRepair()
    {
        var tables = new Tables();
        var comparison = new Option<string?>("--comparison") { Description = "Repair what a comparison found." };
        var findings = new Option<bool>("--findings") { Description = "Repair what is told as missing, and still open." };
        var keys = new Option<string[]>("--key") { Description = "Repair an item.", DefaultValueFactory = _ => [] };
        var prefer = new Option<string?>("--prefer") { Description = "The region that is right where two contradict each other. Without it such items are left alone." };
        var apply = new Option<bool>("--apply") { Description = "Do it; without it is only said what would be done." };
        var output = new Option<FileInfo?>("--output") { Description = "Where the report goes, as JSON Lines; the terminal where left out." };
        var command = new Command("repair", "Makes replicas equal again by writing the right version of an item once more. 0: all is equal, or would be; 1: something is left.")
        {
            tables.Regions, tables.Items, tables.Journal, comparison, findings, keys, prefer, apply, output,
        };
        command.SetAction((given, token) => Tables.RunAsync(async () =>
        {
            var regions = given.GetValue(tables.Regions)!;
            if (given.GetValue(prefer) is { } preferred && !regions.Contains(preferred))
            {
                throw new ArgumentException($"'{preferred}' is none of {string.Join(", ", regions)}: prefer one of them.");
            }

            var clients = regions.ToDictionary(region => region, Tables.Client);
            var time = TimeProvider.System;
            var repair = new ItemRepair(
                clients.ToDictionary(client => client.Key, client => new ItemStore(client.Value, given.GetValue(tables.Items)!, client.Key, new VersionClock(client.Key, time), time, Tables.CallTimeout)), time);
            var journal = given.GetValue(tables.Journal)!;
            var wanted = new List<string>(given.GetValue(keys)!);
            if (given.GetValue(comparison) is { } id)
            {
                var store = new CompareStore(clients[regions[0]], journal, Tables.CallTimeout);
                if (await store.ReadAsync(id, token) is not { Outcome: not null })
                {
                    throw new ArgumentException($"There is no comparison {id} in {regions[0]} that has ended: it lies in the first of the regions that it compares.");
                }

                await foreach (var difference in store.ReadDifferencesAsync(id, token))
                {
                    wanted.Add(difference.Key);
                }
            }

            if (given.GetValue(findings))
            {
                foreach (var client in clients.Values)
                {
                    wanted.AddRange((await new JournalStore(client, journal, Tables.CallTimeout).ReadHoldingAsync(int.MaxValue, token)).Where(finding => finding.Kind == FindingKind.MissingWrite).Select(finding => finding.Key!));
                }
            }

            await using var report = new Report(given.GetValue(output));
            await foreach (var outcome in repair.RepairAllAsync(wanted, given.GetValue(prefer), given.GetValue(apply), Patience, token))
            {
                await report.AddAsync(outcome);
            }

            return report.IsLeft ? 1 : 0;
        }));
        return command;
    }

    public static Command MakeLosses()
    {
        var tables = new Tables();
        var region = new Option<string>("--region") { Description = "The region that was moved to.", Required = true };
        var keys = new Option<bool>("--keys") { Description = "Name every write, not only how many." };
        var command = new Command("losses", "Shows what each move cost: the writes that were missing when it was published, and those that are still.") { region, tables.Journal, keys };
        command.SetAction((given, token) => Tables.RunAsync(async () =>
        {
            var moves = new MoveStore(Tables.Client(given.GetValue(region)!), given.GetValue(tables.Journal)!, Tables.CallTimeout);
            foreach (var loss in await moves.ReadLossesAsync(limit: 50, token))
            {
                Console.WriteLine(JsonSerializer.Serialize(loss, ControlJson.Default.MoveLoss));
                await foreach (var key in moves.ReadKeysAsync(loss, token))
                {
                    if (!given.GetValue(keys))
                    {
                        break;
                    }

                    Console.WriteLine(JsonSerializer.Serialize(key, ControlJson.Default.LostKey));
                }
            }

            return 0;
        }));
        return command;
    }

    public static Command MakeBackfill()
    {
        var tables = new Tables();
        var region = new Option<string>("--region") { Description = "One region; replication brings it to the others.", Required = true };
        var units = new Option<double>("--units") { Description = "The budget: read and write units a second, together.", DefaultValueFactory = _ => 100 };
        var after = new Option<string?>("--after") { Description = "The key after which to go on, as an earlier run said it." };
        var apply = new Option<bool>("--apply") { Description = "Do it; without it items are only counted." };
        var command = new Command("backfill", "Gives a version to the items of a table that existed before. It can be stopped, and begun again.") { region, tables.Items, units, after, apply };
        command.SetAction((given, token) => Tables.RunAsync(async () =>
        {
            if (given.GetValue(units) is not (>= 1 and <= 1_000_000))
            {
                throw new ArgumentException("--units is 1 to 1,000,000.");
            }

            var (name, time) = (given.GetValue(region)!, TimeProvider.System);
            var backfill = new Backfill(Tables.Client(name), given.GetValue(tables.Items)!, new VersionClock(name, time), time, Tables.CallTimeout);
            await foreach (var progress in backfill.RunAsync(given.GetValue(after), given.GetValue(units), given.GetValue(apply), token))
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{progress.Scanned} items read, {progress.Adopted} {(given.GetValue(apply) ? "given a version" : "without a version")}{(progress.Cursor is { } cursor ? $"; --after {JsonSerializer.Serialize(cursor, CliJson.Default.String)}" : ".")}"));
            }

            return 0;
        }));
        return command;
    }

    /// <summary>A line for each item, and at the end one that counts them.</summary>
    private sealed class Report(FileInfo? file) : IAsyncDisposable
    {
        private readonly TextWriter _writer = Tables.Writer(file);
        private readonly SortedDictionary<RepairState, int> _counts = [];

        /// <summary>Whether something is not as it should be.</summary>
        public bool IsLeft => _counts.Keys.Any(state => state is RepairState.Undecided or RepairState.Changed or RepairState.Written);

        public async Task AddAsync(RepairOutcome outcome)
        {
            _counts[outcome.State] = _counts.GetValueOrDefault(outcome.State) + 1;
            await _writer.WriteLineAsync(JsonSerializer.Serialize(outcome, CliJson.Default.RepairOutcome));
        }

        public async ValueTask DisposeAsync()
        {
            await _writer.FlushAsync();
            if (file is not null)
            {
                await _writer.DisposeAsync();
            }

            await Console.Error.WriteLineAsync(_counts.Count == 0 ? "There is nothing to repair." : string.Join(", ", _counts.Select(count => $"{count.Value} {count.Key}")) + ".");
        }
    }
}

/// <summary>How reports look.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RepairOutcome))]
[JsonSerializable(typeof(string))]
internal sealed partial class CliJson : JsonSerializerContext;
