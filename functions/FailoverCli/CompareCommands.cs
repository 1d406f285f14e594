using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Failover.ControlPlane;
using Failover.ControlPlane.Compares;
using Command = System.CommandLine.Command;

namespace Failover.Cli;

/// <summary><c>compare</c>: asks for a comparison, follows it, shows what it found. The functions do the work, with or without somebody who waits.</summary>
internal static class CompareCommands
{
    /// <summary>Exit codes: <c>0</c> equal, <c>1</c> different, <c>2</c> no answer (cancelled, incomplete, not waited for, not asked properly), <c>3</c> a table cannot be reached.</summary>
    public static int CodeOf(CompareOutcome? outcome) => outcome switch { CompareOutcome.Equal => 0, CompareOutcome.Different => 1, _ => 2 };

    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(2);

    public static Command Make()
    {
        var tables = new Tables();
        var units = new Option<double>("--read-units") { Description = "The budget: read units a second in each region.", DefaultValueFactory = _ => 1000 };
        var settle = new Option<int>("--settle") { Description = "Seconds in which what is written arrives everywhere: more than twice replication's lag.", DefaultValueFactory = _ => 480 };
        var cutOff = new Option<DateTimeOffset?>("--cut-off") { Description = "Compare what was written up to then; the time to settle before now where left out." };
        var estimate = new Option<bool>("--estimate") { Description = "Only say what it would take." };
        var wait = new Option<int>("--wait") { Description = "Minutes to wait for the result.", DefaultValueFactory = _ => 60 };
        var output = new Option<FileInfo?>("--output") { Description = "Where the differences go, as JSON Lines; the terminal where left out." };
        var by = new Option<string>("--by") { Description = "Who asks.", DefaultValueFactory = _ => Environment.UserName };
        var home = new Option<string>("--region") { Description = "The first of the regions that are compared.", Required = true };
        var id = new Argument<string>("id") { Description = "The comparison." };

        var start = new Command("start", "Compares the whole tables of two regions or more. 0: equal, 1: different, 2: no answer.")
        {
            tables.Regions, tables.Items, tables.Journal, units, settle, cutOff, estimate, wait, output, by,
        };
        start.SetAction((given, token) => Tables.RunAsync(async () =>
        {
            var (regions, budget) = (given.GetValue(tables.Regions)!, given.GetValue(units));
            var sizes = await Task.WhenAll(regions.Select(region => CompareEstimate.OfAsync(Tables.Client(region), region, given.GetValue(tables.Items)!, token)));
            var comparison = Comparison.Ask(
                regions, given.GetValue(by)!, sizes.Max(size => size.Items), budget, TimeSpan.FromSeconds(given.GetValue(settle)), TimeProvider.System.GetUtcNow(), given.GetValue(cutOff));
            foreach (var size in sizes)
            {
                await Console.Error.WriteLineAsync(size.ToText(budget));
            }

            if (given.GetValue(estimate))
            {
                return 0;
            }

            if (sizes.Max(size => 2 * size.ReadUnits) / budget > Comparison.Lifetime.TotalSeconds)
            {
                throw new ArgumentException($"At {budget} read units a second it may take longer than {Comparison.Lifetime.TotalHours} hours, and would be given up: raise --read-units.");
            }

            var store = Store(regions[0], given.GetValue(tables.Journal)!);
            await store.AddAsync(comparison, token);
            await Console.Error.WriteLineAsync($"Comparison {comparison.Id}, up to {comparison.CutOff:u}.");
            return await FollowAsync(store, comparison.Id, TimeSpan.FromMinutes(given.GetValue(wait)), given.GetValue(output), TimeProvider.System, token);
        }));

        var show = new Command("show", "Shows a comparison and what it found; waits for it, where it has not ended.") { id, home, tables.Journal, wait, output };
        show.SetAction((given, token) => Tables.RunAsync(() =>
            FollowAsync(Store(given.GetValue(home)!, given.GetValue(tables.Journal)!), given.GetValue(id)!, TimeSpan.FromMinutes(given.GetValue(wait)), given.GetValue(output), TimeProvider.System, token)));

        var list = new Command("list", "Lists the newest comparisons.") { home, tables.Journal };
        list.SetAction((given, token) => Tables.RunAsync(async () =>
        {
            foreach (var comparison in await Store(given.GetValue(home)!, given.GetValue(tables.Journal)!).ReadNewestAsync(token))
            {
                Console.WriteLine(Line(comparison));
            }

            return 0;
        }));

        var cancel = new Command("cancel", "Ends a comparison; what was read so far is forgotten.") { id, home, tables.Journal };
        cancel.SetAction((given, token) => Tables.RunAsync(async () =>
        {
            var isCancelled = await Store(given.GetValue(home)!, given.GetValue(tables.Journal)!).CancelAsync(given.GetValue(id)!, TimeProvider.System.GetUtcNow(), token);
            Console.WriteLine(isCancelled ? "Cancelled." : "It has ended already, or there is none of that id.");
            return isCancelled ? 0 : 1;
        }));

        return new Command("compare", "Compares whole tables: every item that differs between regions, and none that is only under way.") { start, show, list, cancel };
    }

    /// <summary>Waits for a comparison to end, and writes what it found.</summary>
    internal static async Task<int> FollowAsync(CompareStore store, string id, TimeSpan patience, FileInfo? output, TimeProvider time, CancellationToken cancellationToken)
    {
        var (start, shown) = (time.GetTimestamp(), "");
        while (true)
        {
            if (await store.ReadAsync(id, cancellationToken) is not { } comparison)
            {
                await Console.Error.WriteLineAsync($"There is no comparison {id} in this region: it lies in the first of the regions that it compares.");
                return 2;
            }

            if (Line(comparison) is var line && line != shown)
            {
                await Console.Error.WriteLineAsync(shown = line);
            }

            if (comparison.Outcome is not null)
            {
                await WriteAsync(store, comparison, output, cancellationToken);
                return CodeOf(comparison.Outcome);
            }

            if (time.GetElapsedTime(start) >= patience)
            {
                await Console.Error.WriteLineAsync($"It goes on without you: 'failover compare show {id} --region {comparison.Home}'.");
                return 2;
            }

            await Task.Delay(PollInterval, time, cancellationToken);
        }
    }

    private static async Task WriteAsync(CompareStore store, Comparison comparison, FileInfo? output, CancellationToken cancellationToken)
    {
        // A file is whole, or it is not there: whoever reads it need not ask whether this ended.
        var partial = output is null ? null : new FileInfo(output.FullName + ".partial");
        var writer = Tables.Writer(partial);
        try
        {
            await foreach (var difference in store.ReadDifferencesAsync(comparison.Id, cancellationToken))
            {
                await writer.WriteLineAsync(JsonSerializer.Serialize(difference, ControlJson.Default.Difference));
            }
        }
        finally
        {
            await writer.FlushAsync(cancellationToken);
            if (partial is not null)
            {
                await writer.DisposeAsync();
            }
        }

        partial?.MoveTo(output!.FullName, overwrite: true);
    }

    private static string Line(Comparison comparison) => string.Create(
        CultureInfo.InvariantCulture,
        $"{comparison.Id} {string.Join(",", comparison.Regions)} up to {comparison.CutOff:u}: {comparison.Outcome?.ToString() ?? comparison.Phase.ToString()}{string.Concat(comparison.Totals.Select(total => $", {total.Key} {total.Value.Items} items"))}, {comparison.UnequalBuckets} of {1 << comparison.BucketBits} buckets unequal, {comparison.Differences} differences");

    private static CompareStore Store(string region, string journal) => new(Tables.Client(region), journal, Tables.CallTimeout);
}
