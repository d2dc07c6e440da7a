package varve.archive.hash;
import java.util.*;
public final class TreeMerge {
  record E(int[] cv,long at,long size){}
  private final ArrayList<E> stack=new ArrayList<>(); private long size; private int n;
  public void add(Hash v,long s){ if(s<=0) throw new IllegalArgumentException(); 
    while(stack.size()>=2){ E b=stack.getLast(),a=stack.get(stack.size()-2); if(a.size==b.size && a.at%(2*a.size)==0){ stack.removeLast();stack.removeLast(); stack.add(new E(SubtreeHasher.parent(a.cv,b.cv,0),a.at,2*a.size)); } else break; }
    stack.add(new E(SubtreeHasher.c(v),size,s)); size+=s; n++; }
  public long size(){return size;}
  public Hash root(){ if(stack.size()<2) throw new IllegalStateException(); int[] r=stack.getLast().cv; for(int i=stack.size()-2;i>=0;i--) r=SubtreeHasher.parent(stack.get(i).cv,r,i==0?8:0); return SubtreeHasher.h(r); }
}
