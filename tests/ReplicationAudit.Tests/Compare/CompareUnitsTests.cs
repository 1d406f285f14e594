using Failover.ControlPlane.Compares;
using Failover.ReplicationAudit.Compare;
using Failover.Testing;

namespace Failover.ReplicationAudit.Tests.Compare;

/// <summary>What a region keeps of its part of a comparison, against a real engine.</summary>
public sealed class CompareUnitsTests(DynoxideEngine shared) : IClassFixture<DynoxideEngine>, IAsyncLifetime
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;

    private CompareUnits _units = null!;

    public async ValueTask InitializeAsync() => _units = new CompareUnits(shared.Engine!.Client(), await shared.Engine.TableAsync("kind", "id"), TimeSpan.FromSeconds(5));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Of_two_that_work_on_a_unit_one_is_believed()
    {
        var unit = new CompareUnit { Name = "000", Of = 1, DueAt = DateTimeOffset.UnixEpoch };
        Assert.True(await _units.AddAsync("1", ComparePhase.Digest, unit, Token));
        Assert.False(await _units.AddAsync("1", ComparePhase.Digest, unit with { Of = 7 }, Token));

        Assert.True(await _units.ReplaceAsync("1", ComparePhase.Digest, unit with { Cursor = "m", Items = 2 }, [1, 2], Token));
        Assert.False(await _units.ReplaceAsync("1", ComparePhase.Digest, unit with { Cursor = "k", Items = 1 }, [1], Token));

        var (kept, sums) = (await _units.ReadAsync("1", ComparePhase.Digest, "000", Token))!.Value;
        Assert.Equal(("m", 2L, 1, 1L), (kept.Cursor, kept.Items, kept.Of, kept.Revision));
        Assert.Equal([1, 2], sums!);
        Assert.True(await _units.ReplaceAsync("1", ComparePhase.Digest, kept with { IsDone = true }, sums, Token));
    }

    [Fact]
    public async Task Phases_and_comparisons_are_apart()
    {
        var unit = new CompareUnit { Name = "000", DueAt = DateTimeOffset.UnixEpoch };
        await _units.AddAsync("1", ComparePhase.Digest, unit, Token);
        Assert.Null(await _units.ReadAsync("1", ComparePhase.Drill, "000", Token));
        Assert.Null(await _units.ReadAsync("2", ComparePhase.Digest, "000", Token));
        Assert.Null(await _units.ReadEndAsync("1", ComparePhase.Digest, Token));
        await _units.EndAsync("1", ComparePhase.Digest, new CompareTotals(1, 2, 3.5), [9], DateTimeOffset.UnixEpoch, Token);
        var (totals, sums) = (await _units.ReadEndAsync("1", ComparePhase.Digest, Token))!.Value;
        Assert.Equal((new CompareTotals(1, 2, 3.5), 9), (totals, sums!.Single()));
    }

    [Fact]
    public async Task Many_units_and_long_lists_are_read_whole()
    {
        for (var i = 0; i < 30; i++)
        {
            await _units.AddAsync("1", ComparePhase.Check, new CompareUnit { Name = $"{i:D3}", DueAt = DateTimeOffset.UnixEpoch, Candidates = [.. Enumerable.Range(0, 100).Select(key => new CompareCandidate(new string('k', 500) + key))] }, Token);
            await _units.AddKeysAsync("1", 5, $"{i}", new byte[200_000], DateTimeOffset.UnixEpoch, Token);
        }

        var (units, bytes) = (0, 0L);
        await foreach (var unit in _units.ReadAllAsync("1", ComparePhase.Check, Token))
        {
            units += unit.Candidates.Count == 100 ? 1 : 0;
        }

        await foreach (var part in _units.ReadKeysAsync("1", 5, Token))
        {
            bytes += part.Length;
        }

        Assert.Equal((30, 6_000_000), (units, bytes));
    }
}
