using System.Diagnostics;
using Failover.Simulation.Audit;

namespace Failover.Simulation;

/// <summary>
/// Drawn runs of a modelled global table whose replicas are compared by the production audit, in traffic and in calm, while calls fail and messages come twice. <c>SIMULATION_COMPARE_RUNS</c> says how many,
/// <c>SIMULATION_SEED</c> from which seed on; a failure prints the seed that reproduces it.
/// </summary>
public class CompareCampaignTests(ITestOutputHelper output)
{
    private const int WritesARun = 1500;

    private static readonly int Runs = Number("SIMULATION_COMPARE_RUNS", 30);
    private static readonly int FirstSeed = Number("SIMULATION_SEED", 1);

    [Fact]
    public async Task Every_difference_is_told_and_nothing_that_is_in_flight()
    {
        var start = Stopwatch.GetTimestamp();
        var (inTraffic, inCalm, candidates, corrupted) = (0L, 0L, 0L, 0L);
        for (var seed = FirstSeed; seed < FirstSeed + Runs; seed++)
        {
            var run = new CompareRun(seed, WritesARun);
            await run.RunAsync();
            var broken = await run.BrokenAsync();
            Assert.True(broken is null, $"seed {seed}: {broken}");
            (inTraffic, inCalm) = (inTraffic + run.InTraffic.Differences.Count, inCalm + run.InCalm.Differences.Count);
            (candidates, corrupted) = (candidates + run.InTraffic.Comparison.Candidates, corrupted + run.Corrupted);
        }

        output.WriteLine(
            $"{Runs} runs from seed {FirstSeed}: {candidates} candidates and {inTraffic} differences in traffic, {inCalm} differences in calm, {corrupted} items corrupted, in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
    }

    [Fact]
    public async Task Without_the_time_to_settle_what_is_in_flight_would_be_told()
    {
        for (var seed = 1; seed <= 40; seed++)
        {
            var run = new CompareRun(seed, WritesARun, settle: TimeSpan.FromSeconds(1));
            await run.RunAsync();
            if (await run.BrokenAsync() is { } broken)
            {
                output.WriteLine($"seed {seed}: {broken}");
                return;
            }
        }

        Assert.Fail("Nothing in flight was told in 40 runs: the model would not notice it either.");
    }

    private static int Number(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;
}
