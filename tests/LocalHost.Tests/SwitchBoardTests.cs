using Failover.LocalHost.Switches;
using Microsoft.Extensions.Time.Testing;

namespace Failover.LocalHost.Tests;

/// <summary>Alarms with memory: what two of three regions say, a period later; what nobody says stays as it was.</summary>
public class SwitchBoardTests
{
    private static readonly string[] Regions = ["one", "two", "three"];

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 23, 8, 0, 0, TimeSpan.Zero));
    private readonly SwitchBoard _board;

    public SwitchBoardTests() => _board = new SwitchBoard(TimeSpan.FromMinutes(1), _time);

    private bool IsPrimary => _board.IsPrimaryAnswered("app", Regions);

    [Fact]
    public void Two_of_three_leave_the_primary_once_the_period_is_over()
    {
        Say("one", 1);
        Say("two", 1);
        Say("three", 0);
        Assert.True(IsPrimary);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(IsPrimary);
    }

    [Fact]
    public void One_of_three_does_not()
    {
        Say("one", 1);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(IsPrimary);
    }

    [Fact]
    public void Silence_changes_nothing()
    {
        Say("one", 1);
        Say("two", 1);
        _time.Advance(TimeSpan.FromDays(3));
        Assert.False(IsPrimary);
        Say("one", 0);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(IsPrimary);
    }

    [Fact]
    public void The_maximum_of_a_period_counts()
    {
        Say("one", 1);
        Say("one", 0);
        Say("two", 1);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(IsPrimary);
    }

    [Theory]
    [InlineData("""not a metric, but "LeavePrimary" is in it""")]
    [InlineData("""{"message":"\"LeavePrimary\"","LeavePrimary":1}""")]
    [InlineData("""{"_aws":{},"LeavePrimary":[1]}""")]
    public void Other_lines_say_nothing(string line)
    {
        foreach (var region in Regions)
        {
            _board.Read(region, line);
        }

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(IsPrimary);
    }

    private void Say(string region, int value) => _board.Read(region, $$$"""{"_aws":{"Timestamp":1},"Service":"app","LeavePrimary":[{{{value}}}]}""");
}
