using Failover.ControlPlane.Registers;

namespace Failover.ControlPlane.Tests;

/// <summary>The state TXT says exactly one thing, or nothing.</summary>
public class StateTxtTests
{
    private const string Text = "v=1 epoch=42 active=nyc3 since=2026-11-23T08:00:00Z by=us-east-2 plan=9f2c41d0 why=RegionLost";

    [Fact]
    public void What_is_written_is_read() => Assert.Equal(Text, StateTxt.TryParse(Text)!.Format());

    [Theory]
    [InlineData("")]
    [InlineData("v=2 epoch=42 active=nyc3 since=2026-11-23T08:00:00Z by=us-east-2 plan=9f2c41d0 why=RegionLost")]
    [InlineData("v=1 epoch=-1 active=nyc3 since=2026-11-23T08:00:00Z by=us-east-2 plan=9f2c41d0 why=RegionLost")]
    [InlineData("v=1 epoch=42 active= since=2026-11-23T08:00:00Z by=us-east-2 plan=9f2c41d0 why=RegionLost")]
    [InlineData("v=1 epoch=42 active=nyc3 since=2026-11-23T08:00:00Z by=us-east-2 plan=9f2c41d0")]
    [InlineData("v=1 epoch=42 active=nyc3 since=2026-11-23T08:00:00Z by=us-east-2 plan=9f2c41d0 why=Region Lost")]
    [InlineData("v=1 epoch=42 active=ny\"c3 since=2026-11-23T08:00:00Z by=us-east-2 plan=9f2c41d0 why=RegionLost")]
    [InlineData("heritage=external-dns")]
    public void Anything_else_is_not_ours(string text) => Assert.Null(StateTxt.TryParse(text));

    [Fact]
    public void A_part_that_would_not_be_read_back_is_refused() =>
        Assert.Throws<InvalidOperationException>(() => new StateTxt(1, "a b", "t", "o", "p", "w").Format());
}
