using System.Diagnostics;
using Failover.Simulation.Audit;

namespace Failover.Simulation;

/// <summary>
/// Drawn runs of a modelled global table with the production audit in each region, from the JSON of its streams to the rows of its journal. <c>SIMULATION_AUDIT_RUNS</c> says how many,
/// <c>SIMULATION_SEED</c> from which seed on; a failure prints the seed that reproduces it.
/// </summary>
public class AuditCampaignTests(ITestOutputHelper output)
{
    private const int WritesARun = 2000;

    private static readonly int Runs = Number("SIMULATION_AUDIT_RUNS", 51);
    private static readonly int FirstSeed = Number("SIMULATION_SEED", 1);

    [Fact]
    public async Task Every_write_ends_in_the_class_that_is_its_own()
    {
        var start = Stopwatch.GetTimestamp();
        var (writes, drops, records, findings) = (0L, 0L, 0L, new SortedDictionary<string, int>());
        for (var seed = FirstSeed; seed < FirstSeed + Runs; seed++)
        {
            var run = new AuditRun(seed, WritesARun, AuditBug.None);
            await run.RunAsync();
            writes += run.Table.Writes.Count;
            drops += run.Table.Drops.Count;
            var found = await run.FindingsAsync();
            records += run.Table.Names.Sum(region => run.Table.Stream(region).Count);
            foreach (var finding in found.Values.SelectMany(all => all))
            {
                var name = $"{finding.Kind}{(finding.Closed is { } closed ? $" ({closed.As})" : "")}";
                findings[name] = findings.GetValueOrDefault(name) + 1;
            }

            var broken = AuditOracle.Broken(run, found);
            Assert.True(broken is null, $"seed {seed}: {broken}");
        }

        output.WriteLine($"{Runs} runs from seed {FirstSeed}: {writes} writes, {records} stream records, {drops} lost by replication, in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
        output.WriteLine(string.Join(", ", findings.Select(kind => $"{kind.Key} {kind.Value}")));
    }

    [Theory]
    [InlineData(AuditBug.AsksTheWrongRegion)]
    [InlineData(AuditBug.ReadsItsOwnRegionLate)]
    [InlineData(AuditBug.KeepsNothing)]
    [InlineData(AuditBug.AsksOnce)]
    [InlineData(AuditBug.PassesFailedRecords)]
    [InlineData(AuditBug.SeesNoStall)]
    [InlineData(AuditBug.ForgetsTheParked)]
    [InlineData(AuditBug.RemembersNothing)]
    [InlineData(AuditBug.DropsFindings)]
    internal async Task A_planted_bug_is_found(AuditBug bug)
    {
        for (var seed = 1; seed <= 40; seed++)
        {
            var run = new AuditRun(seed, 300, bug);
            await run.RunAsync();
            if (AuditOracle.Broken(run, await run.FindingsAsync()) is { } broken)
            {
                output.WriteLine($"seed {seed}: {broken}");
                return;
            }
        }

        Assert.Fail($"{bug} was not found in 40 runs.");
    }

    private static int Number(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;
}
